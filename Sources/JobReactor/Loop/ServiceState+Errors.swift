package import JobReactorCore
internal import JobReactorWire

extension ServiceState.Refusal {
    /// The error for the caller of a second start; `what` is the service: "the node".
    package func startError(of what: String) -> any Error {
        switch self {
        case .startedBefore: WireError(.configuration, "\(what) was started before: make another")
        case .failedBefore(let reason):
            WireError(.configuration, "the start of \(what) failed (\(reason)): make another")
        case .stopped: JobError(.stopped, "\(what) was stopped: make another")
        }
    }
}
