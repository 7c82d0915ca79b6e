internal import JobReactorCore
internal import JobReactorLua
internal import JobReactorWire
internal import NIOCore

/// Jobs of schedules.
extension NodeCore {
    /// Runs begin. Of the first of a tick its distributor is told, which looks for ticks that are late.
    func noteTicks(_ begun: [LuaLane.Run]) {
        for run in begun where run.job.tick != nil && run.raised == nil && run.job.attempt == 1 {
            destinations.known(run.job.distributor)?.link?.sendBegan(run.job.id)
        }
    }
}
