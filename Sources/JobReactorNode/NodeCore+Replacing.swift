internal import JobReactor
internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// Newer args for a job that is here, as another with its key was enqueued at its distributor. They are answered when they are
/// stored, or when nothing comes of them.
extension NodeCore {
    struct Replacing {
        let number: HandOver
        let request: JobRequest
        let link: DistributorLink
        /// Saves that had begun when they came.
        let saves: Int
        var id: JobID { number.id }
        var onConflict: UniqueConflict { request.options.unique?.onConflict ?? .replace }
    }

    /// The number is that of the message.
    func replace(_ number: HandOver, _ request: JobRequest, over link: DistributorLink) {
        replace(Replacing(number: number, request: request, link: link, saves: runs.savesUnderWay.begun))
    }

    private func replace(_ replacing: Replacing) {
        let giver = destinations[replacing.link.distributor].number
        switch runs.replace(
            replacing.id, replacing.request.args, onConflict: replacing.onConflict, giver: giver,
            after: replacing.saves)
        {
        case .kept: replacing.link.sendKept(replacing.number)
        case .unknown: break
        case .later: laterReplacements.append(replacing)
        case .change:
            sendPermits()
            change(replacing)
        case .again: keepAgain(replacing)
        }
    }

    /// Those that waited for saves and for other changes.
    func replaceLater() {
        guard !laterReplacements.isEmpty else { return }
        let later = laterReplacements
        laterReplacements = []
        for replacing in later { replace(replacing) }
    }

    // MARK: Waiting

    private func change(_ replacing: Replacing) {
        let bound = NIOLoopBound((self, replacing), eventLoop: loop)
        storage.load(replacing.id) { result in
            bound.eventLoop.runOrExecute { bound.value.0.change(bound.value.1, result) }
        }
    }

    private func change(_ replacing: Replacing, _ result: Result<Job?, StorageError>) {
        guard runs.isChanging(replacing.id) else { return changed(replacing, isDone: false) }
        switch result {
        case .success(let job?):
            let now = now
            let changed = job.replaced(by: replacing.request, now: now.wall)
            let bound = NIOLoopBound((self, replacing), eventLoop: loop)
            storage.apply([.update(changed)]) { result in
                bound.eventLoop.runOrExecute { bound.value.0.changed(bound.value.1, changed, at: now, result) }
            }
        case .success(nil):
            failGone([replacing.id])
            changed(replacing, isDone: false)
        case .failure(let error): changeLater(replacing, error)
        }
    }

    private func changed(
        _ replacing: Replacing, _ job: Job, at stored: Moment, _ result: Result<Void, StorageError>
    ) {
        if case .failure(let error) = result { return changeLater(replacing, error) }
        storageWorks()
        if let known = runs.changed(job, at: stored, now: now) {
            destinations.numbered(known.giver)?.settled(onLink: known.link)
            flushDestinations()
        }
        changed(replacing, isDone: true)
        sendPermits()
        runReady()
        armTimer()
    }

    private func changed(_ replacing: Replacing, isDone: Bool) {
        if isDone { replacing.link.sendReplaced(replacing.number) } else { replacing.link.sendKept(replacing.number) }
        replaceLater()
    }

    /// The job waits as long as its record cannot be changed.
    private func changeLater(_ replacing: Replacing, _ error: StorageError) {
        storageRefused(error)
        loop.assumeIsolated().scheduleTask(in: .seconds(1)) {
            guard self.runs.isChanging(replacing.id) else { return self.changed(replacing, isDone: false) }
            self.change(replacing)
        }
    }

    // MARK: Running

    /// The record keeps the args for one more run, unless the end of this one is decided, and has them: then it is stored before
    /// what comes after it.
    private func keepAgain(_ replacing: Replacing) {
        let bound = NIOLoopBound((self, replacing), eventLoop: loop)
        storage.load(replacing.id) { result in
            bound.eventLoop.runOrExecute { bound.value.0.keepAgain(bound.value.1, result) }
        }
    }

    private func keepAgain(_ replacing: Replacing, _ result: Result<Job?, StorageError>) {
        let bound = NIOLoopBound((self, replacing), eventLoop: loop)
        guard runs.keepsAgain(replacing.id, replacing.request.args) else {
            return storage.load(replacing.id) { _ in
                bound.eventLoop.runOrExecute { bound.value.1.link.sendReplaced(bound.value.1.number) }
            }
        }
        guard case .success(var job?) = result else { return keepsAgain(replacing, isStored: false) }
        job.again = replacing.request.args
        storage.apply([.update(job)]) { result in
            bound.eventLoop.runOrExecute {
                if case .failure(let error) = result { bound.value.0.storageRefused(error) }
                bound.value.0.keepsAgain(bound.value.1, isStored: (try? result.get()) != nil)
            }
        }
    }

    /// The distributor, which has the args, gives them again when the job has ended without them.
    private func keepsAgain(_ replacing: Replacing, isStored: Bool) {
        if isStored { return replacing.link.sendReplaced(replacing.number) }
        runs.forgetAgain(replacing.id, replacing.request.args)
        replacing.link.sendKept(replacing.number)
    }
}
