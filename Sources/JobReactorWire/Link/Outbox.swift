internal import DequeModule

/// Reports in the order they were made, until the other side has said that it has them; those that were under way when a
/// connection was lost go out again on the next.
package struct Outbox: Sendable {
    private var reports: Deque<Report> = []
    /// How many of the first were sent on the connection that is up.
    private var sent = 0

    package init() {}

    package var count: Int { reports.count }
    package var isEmpty: Bool { reports.isEmpty }

    package mutating func append(_ report: Report) { reports.append(report) }

    /// A new connection: everything goes out again.
    package mutating func restart() { sent = 0 }

    /// Hands out what has not been sent on this connection.
    package mutating func sendRest(_ send: (Report) -> Void) {
        while sent < reports.count {
            send(reports[sent])
            sent += 1
        }
    }

    /// The other side has the next `count` of those sent.
    package mutating func taken(_ count: Int) {
        let taken = min(count, sent)
        reports.removeFirst(taken)
        sent -= taken
    }
}
