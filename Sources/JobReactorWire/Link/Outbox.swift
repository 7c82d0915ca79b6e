internal import DequeModule

/// Reports in the order they were made, until the other side has said that it has them; those that had not arrived when a
/// connection was lost go out again on the next.
package struct Outbox: Sendable {
    private var reports: Deque<Report> = []
    /// How many of the first were sent on the connection that is up.
    private var sent = 0
    /// How many the process at the other side has taken.
    private var takenInAll = 0

    package init() {}

    package var count: Int { reports.count }
    package var isEmpty: Bool { reports.isEmpty }

    package mutating func append(_ report: Report) { reports.append(report) }

    /// A new connection. `received` is how many reports the process at the other side has had, over all connections: those
    /// whose receipt was lost do not go out again. Nil when it is not known, or the process another one: everything goes
    /// out again.
    package mutating func restart(received: Int? = nil) {
        sent = 0
        guard let received else {
            takenInAll = 0
            return
        }
        let arrived = min(max(0, received - takenInAll), reports.count)
        reports.removeFirst(arrived)
        takenInAll = received
    }

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
        takenInAll += taken
        reports.removeFirst(taken)
        sent -= taken
    }
}
