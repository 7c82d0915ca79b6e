internal import JobReactorCore

/// Whether the system lets a server have what its settings speak of.
enum MachineCheck {
    /// Beside connections: files of storages and scripts, pipes to programs.
    static let otherFiles = 200

    static func openFiles(_ limit: Int, connections: Int) -> Finding {
        let subject = "open files"
        let needed = connections + otherFiles
        guard limit < needed else { return .good(subject, "\(limit) may be open at once") }
        return .warning(
            subject,
            "\(limit) may be open at once, too few for --max-connections \(connections) and other files",
            "raise the limit to \(needed) (LimitNOFILE= of the service, ulimit -n), or lower --max-connections")
    }
}
