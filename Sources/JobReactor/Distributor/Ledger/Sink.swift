internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// Who is told of a job's outcome.
enum Sink {
    case application(JobFeedback)
    case producer(Producer)
    case command(CommandSession, CommandSession.Ticket, deadline: Scheduled<Void>?)
    /// Who only wants to know that the job is stored.
    case acknowledgement(CommandSession, CommandSession.Ticket)
    case none

    var isNobody: Bool { if case .none = self { true } else { false } }

    /// Whether somebody in this process, or at a connection to it, waits now.
    var waitsHere: Bool {
        switch self {
        case .application, .command, .acknowledgement: true
        case .producer, .none: false
        }
    }

    /// Whether somebody is to be told that the job, of that name, is parked.
    func hearsOfParking(_ name: String) -> Bool {
        switch self {
        case .application(let feedback): feedback.onProgress != nil
        case .producer(let producer): producer.hearsOfParking(name)
        case .command, .acknowledgement, .none: false
        }
    }

    /// Whether it waits in another process, and outlives this one.
    var outlivesProcess: Bool { if case .producer = self { true } else { false } }
}
