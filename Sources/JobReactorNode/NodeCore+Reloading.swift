internal import JobReactor
internal import JobReactorCore
internal import JobReactorLua
internal import Logging
internal import NIOCore
private import NIOPosix

/// Which scripts are in use, and whether others are being loaded.
struct Reloading {
    var loadedAt: Moment
    var watch: ScriptWatch?
    /// Under way.
    var current: EventLoopFuture<String>?
    /// Asked for while one was under way.
    var next: EventLoopPromise<String>?
}

/// Live editing: scripts are loaded anew beside those in use, and runs that begin from then on use them.
extension NodeCore {
    /// Loads the scripts anew; answers with a line that says what came of it. One at a time.
    func reload() -> EventLoopFuture<String> { reload(nil) }

    /// With what has been read of the folder, or what is to be read.
    private func reload(_ set: ScriptSet?) -> EventLoopFuture<String> {
        guard !life.isStopping else { return loop.makeFailedFuture(Self.stopped) }
        guard reloading.current != nil else { return startReload(set) }
        if let next = reloading.next { return next.futureResult }
        let promise = loop.makePromise(of: String.self)
        reloading.next = promise
        return promise.futureResult
    }

    private func startReload(_ set: ScriptSet?) -> EventLoopFuture<String> {
        let lanes = lanes.map(\.lua)
        let folder = folder
        let bound = NIOLoopBound(self, eventLoop: loop)
        let loaded = NIOThreadPool.singleton.runIfActive(eventLoop: loop) {
            if let set { folder.use(set) } else { try folder.read() }
            var first: ScriptReport?
            for lane in lanes {
                let report = try lane.reload()
                first = first ?? report
            }
            return first
        }.map { report in bound.value.reloaded(report) }
            .flatMapErrorThrowing { error in
                bound.value.logger.error("the job scripts cannot be loaded; the current ones stay in use: \(error)")
                bound.value.metrics?.reloaded(false)
                throw error
            }
        reloading.current = loaded
        watchLanes()
        loaded.whenComplete { _ in
            let core = bound.value
            core.reloading.current = nil
            guard let next = core.reloading.next else { return }
            core.reloading.next = nil
            core.startReload(nil).cascade(to: next)
        }
        return loaded
    }

    private func reloaded(_ report: ScriptReport?) -> String {
        guard let report else { return "the scripts are not loaded yet" }
        let before = Set(runs.jobNames)
        let definitionsBefore = definitions
        reloading.loadedAt = now
        use(report)
        metrics?.reloaded(true)
        gauges?.noteChange()
        let names = Set(runs.jobNames)
        let problems = report.problems.count
        logger.info(
            "job scripts loaded",
            metadata: [
                "generation": "\(report.generation)", "jobs": "\(names.count)",
                "new": "\(Self.shown(names.subtracting(before)))", "gone": "\(Self.shown(before.subtracting(names)))",
                "problems": "\(problems)",
            ])
        if names != before || definitions != definitionsBefore { announceJobs() }
        unpark()
        return "generation \(report.generation): \(report.fileCount) files, \(names.count) jobs,"
            + " \(problems) problems"
    }

    /// No more than a line can hold.
    private static func shown(_ names: Set<String>) -> String {
        let first = names.sorted().prefix(10).joined(separator: " ")
        return names.count > 10 ? "\(first) and \(names.count - 10) more" : first
    }

    /// Jobs that waited for a script to define them.
    private func unpark() {
        guard life.ownsJobs else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        for (name, ids) in runs.unpark() {
            logger.info("parked jobs run again", metadata: ["job": "\(name)", "jobs": "\(ids.count)"])
            for id in ids {
                storage.load(id) { result in
                    bound.eventLoop.runOrExecute {
                        if case .success(let job?) = result, !job.status.isFinished { bound.value.takeTurn(job) }
                    }
                }
            }
        }
    }

    /// From now on changes of the folder are noticed.
    func watchScripts() {
        guard configuration.watchesScripts, let known = folder.current else { return }
        let bound = NIOLoopBound(self, eventLoop: loop)
        let loop = loop
        do throws(ScriptError) {
            reloading.watch = try ScriptWatch(folder.directory, known: known) { change in
                loop.execute { bound.value.changed(change) }
            }
        } catch {
            logger.warning("\(error)")
        }
    }

    private func changed(_ change: Result<ScriptSet, ScriptError>) {
        guard !life.isStopping else { return }
        switch change {
        case .success(let set): _ = reload(set)
        case .failure(let error):
            logger.error("the current job scripts stay in use: \(error)")
            metrics?.reloaded(false)
        }
    }

    func stopReloading() {
        reloading.watch?.stop()
        reloading.watch = nil
        reloading.next?.fail(Self.stopped)
        reloading.next = nil
    }
}
