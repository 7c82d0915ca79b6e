import JobReactor

/// No JSON can hold it, as nobody has said how: it is not `Encodable`.
struct Ticket: Sendable {
    let number: Int
}

/// The compiler must refuse each call that says so, and say why.
func enqueue(_ ticket: Ticket, of path: String, at distributor: Distributor) async throws {
    let all: [String: Any] = ["path": path, "ticket": ticket]
    try distributor.enqueue("resize", ["path": path, "ticket": ticket])  // refused
    try distributor.enqueue("resize", ["ticket": ticket])  // refused
    try distributor.enqueue("resize", ticket)  // refused
    try distributor.enqueue("resize", all)  // refused
    try distributor.enqueue("resize", ["path": path, "size": ["width": 1, "unit": "px"]])  // refused
    _ = try await distributor.perform("resize", ["path": path, "ticket": ticket])  // refused
    _ = try await distributor.perform("resize", ["path": path, "ticket": ticket], timeout: .seconds(1))  // refused
    _ = try distributor.follow("resize", ["path": path, "ticket": ticket])  // refused
    _ = try JobSubmission("resize", ["path": path, "ticket": ticket])  // refused
}
