import Foundation

/// One thing that was broken.
struct Fault: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case kill, stop, freeze, hang, lose, cut, server, refuse, full, stall

        /// A line of the help.
        var help: String {
            switch self {
            case .kill: "a node, a distributor or a producer is killed (SIGKILL), and started again within 2 s"
            case .stop: "one of them is told to stop (SIGTERM), and started again within 2 s of its end"
            case .freeze: "one of them is frozen (SIGSTOP) for up to 2 s, before anyone gives it up"
            case .hang: "a node is frozen for 20 s: its lease ends, and another takes over its jobs"
            case .lose: "the last node is killed for good, once; only with Redis, where another takes over its jobs"
            case .cut: "the connections of a proxy are cut: between nodes, producers or the storage and the others"
            case .server: "the Redis server is killed and started again, or frozen, for up to 2 s"
            case .refuse:
                "a storage refuses for up to 6 s: Redis has no memory, no replicas, or may only be read; the folder of an"
                    + " SQLite file is moved away"
            case .full:
                "the disk of a storage is full for up to 6 s: that of Redis' append-only file, or of an SQLite file"
            case .stall:
                "a storage does not answer: Redis is frozen for 16 to 22 s, beyond the lease of 15 s; an SQLite file is"
                    + " locked from outside for 2 to 12 s, where a node waits 5 s for it"
            }
        }

        /// What it strikes.
        enum Aim { case member, node, lastNode, proxy, storage }

        var aim: Aim {
            switch self {
            case .kill, .stop, .freeze: .member
            case .hang: .node
            case .lose: .lastNode
            case .cut: .proxy
            case .server, .refuse, .full, .stall: .storage
            }
        }

        var needsRedis: Bool { self == .server || self == .lose }

        /// How often it is chosen, against the others: those that last long would leave no time for these.
        var weight: Int { self == .hang || self == .stall ? 1 : 4 }

        /// For how many seconds it lasts.
        func length(_ storage: ChaosPlace.Kind) -> ClosedRange<Double> {
            switch self {
            case .kill, .stop, .freeze, .server: 0.05...2
            case .hang: 20...20
            case .lose, .cut: 0...0
            case .refuse, .full: 0.5...6
            case .stall: storage == .redis ? 16...22 : 2...12
            }
        }
    }

    let kind: Kind
    /// The process, the storage or the connections.
    let what: String
    /// How, where there are several ways.
    var how = ""
    let from: Date
    var until: Date
    /// Of a stop: the process has said that its grace was too short for what was under way.
    var wasCutShort = false

    /// Whether a job may run again because of it. Only where a run, or the memory of where a job is, ended with a process,
    /// or a node was away for so long that others took over its jobs. Cut connections, short freezes, and a storage that
    /// is killed, frozen, full, or refuses explain nothing.
    var maySpoil: Bool {
        switch kind {
        case .kill, .lose, .hang: true
        case .stop: wasCutShort
        case .freeze, .cut, .server, .refuse, .full, .stall: false
        }
    }

    /// Of a storage: what starts meanwhile may find that it cannot be opened.
    var breaksStorage: Bool { [.server, .refuse, .full, .stall].contains(kind) }
}
