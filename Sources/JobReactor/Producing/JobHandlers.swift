/// Who is told of all jobs of a name. For one event loop.
struct JobHandlers {
    struct Handler {
        let registration: HandlerRegistration
        let feedback: JobFeedback
    }

    private var byName: [String: [Handler]] = [:]

    var isEmpty: Bool { byName.isEmpty }

    /// In the order of their registration. To be had before the first is called: a handler may remove itself.
    subscript(name: String) -> [Handler] { byName[name] ?? [] }

    mutating func add(_ feedback: JobFeedback, for name: String, _ registration: HandlerRegistration) {
        // It may be removed before the loop comes to this.
        guard !registration.isRemoved else { return }
        byName[name, default: []].append(Handler(registration: registration, feedback: feedback))
    }

    mutating func remove(_ registration: HandlerRegistration, of name: String) {
        byName[name]?.removeAll { $0.registration === registration }
        if byName[name]?.isEmpty == true { byName[name] = nil }
    }

    /// Nothing more is told.
    mutating func removeAll() -> [Handler] {
        defer { byName = [:] }
        return byName.values.flatMap(\.self)
    }
}

extension [JobHandlers.Handler] {
    /// Calls those that are still wanted.
    func tell(_ body: (JobFeedback) -> Void) {
        for handler in self where !handler.registration.isRemoved { body(handler.feedback) }
    }
}
