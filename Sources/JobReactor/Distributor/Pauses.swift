internal import JobReactorCore
internal import JobReactorWire

/// The names of jobs and nodes that are paused, by whom and since when. A value without I/O.
struct Pauses {
    private(set) var jobs: [String: Pause] = [:]
    private(set) var nodes: [String: Pause] = [:]

    var isEmpty: Bool { jobs.isEmpty && nodes.isEmpty }

    subscript(target: PauseTarget) -> Pause? {
        get {
            switch target {
            case .job(let name): jobs[name]
            case .node(let name): nodes[name]
            }
        }
        set {
            switch target {
            case .job(let name): jobs[name] = newValue
            case .node(let name): nodes[name] = newValue
            }
        }
    }

    /// All of them: jobs before nodes, in the order of their names.
    var all: [(target: PauseTarget, pause: Pause)] {
        jobs.sorted { $0.key < $1.key }.map { (.job($0.key), $0.value) }
            + nodes.sorted { $0.key < $1.key }.map { (.node($0.key), $0.value) }
    }
}

extension PauseTarget {
    /// What it is kept as.
    var key: StoredControl.Key {
        switch self {
        case .job(let name): StoredControl.Key(.pausedJob, name)
        case .node(let name): StoredControl.Key(.pausedNode, name)
        }
    }

    /// Nil for what is kept of anything else.
    init?(_ key: StoredControl.Key) {
        switch key.kind {
        case .pausedJob: self = .job(key.name)
        case .pausedNode: self = .node(key.name)
        case .schedule, .ticks, .starts: return nil
        }
    }
}

extension Pause {
    /// As it is kept.
    var json: [UInt8] { JobArguments([("by", .string(by)), ("at", .integer(at.microseconds))]).bytes }

    /// Nil for what is none.
    init?(json: [UInt8]) {
        guard let value = try? JSONValue(parsing: json), let by = value["by"]?.string,
            case .integer(let time)? = value["at"]
        else { return nil }
        self.init(by: by, at: Timestamp(microseconds: time))
    }
}
