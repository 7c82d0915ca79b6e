internal import JobReactorCore
internal import Logging

/// Keeps what scripts say in the log, by the id of the job that says it.
struct TestLog: LogHandler {
    private let lines: Locked<[String: [String]]>
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    var logLevel: Logger.Level = .debug

    init() { lines = Locked([:]) }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let id = event.metadata?["id"] ?? metadata["id"]
        let line = event.level == .info ? "\(event.message)" : "\(event.level.rawValue): \(event.message)"
        lines.withLock { $0[id.map { "\($0)" } ?? "", default: []].append(line) }
    }

    /// Takes out what the job has said; without an id what was said while scripts were loaded.
    func take(_ id: JobID?) -> [String] {
        lines.withLock { $0.removeValue(forKey: id?.description ?? "") ?? [] }
    }
}
