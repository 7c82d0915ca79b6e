internal import JobReactorCore

/// What all states of a lane know of the process around them.
final class ScriptContext: Sendable {
    let shared: SharedDictionary
    let isSandboxed: Bool
    let perform: LuaLane.Performer?
    let place: LuaLane.Placer?
    private let stopping = Locked(false)

    init(_ options: LuaLane.Options) {
        shared = options.shared
        isSandboxed = options.isSandboxed
        perform = options.perform
        place = options.place
    }

    var isStopping: Bool { stopping.withLock { $0 } }

    func announceStop() { stopping.withLock { $0 = true } }
}
