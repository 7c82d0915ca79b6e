internal import JobReactorCore
internal import Logging
internal import NIOCore

/// A storage that refuses: the node says so once, asks for few jobs until the storage is proven, and says that it is over.
extension NodeCore {
    /// A write was refused.
    func storageRefused(_ error: StorageError) {
        if error.endsOwnership { return storageLost(error) }
        guard storageHealth.refused(error, at: loop.now) == .refuses else { return }
        logger.error(
            "the storage refuses: jobs wait, and this node grants no credit until it works again",
            metadata: ["reason": "\(error)"])
        for destination in destinations.all { destination.link?.send(error) }
        scheduleTrial()
    }

    /// A write has succeeded.
    func storageWorks() {
        guard storageHealth.isRefusing, storageHealth.succeeded(at: loop.now) == .works else { return }
        storageTrial?.cancel()
        logger.notice("the storage works again")
        for destination in destinations.all { destination.link?.send(nil) }
        flushDestinations()
    }

    private func scheduleTrial() {
        let interval = TimeAmount.milliseconds(Int64(StorageHealth.trialInterval * 1000))
        storageTrial = loop.assumeIsolated().scheduleTask(in: interval) {
            guard self.storageHealth.isRefusing, !self.life.isStopping else { return }
            let size = self.storageHealth.beginTrial()
            for destination in self.destinations.all { destination.ask(forAtMost: size) }
            self.scheduleTrial()
        }
    }
}
