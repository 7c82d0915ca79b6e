import JobReactorCore
import JobReactorTesting
import Testing

@Suite struct MemoryStorageTests {
    @Test("it is what a storage must be", arguments: StorageConformance.checks)
    func conforms(to check: StorageConformance.Check) async throws {
        try await check.run { MemoryStorage() }
    }

    @Test("it keeps an audit log", arguments: StorageConformance.auditChecks)
    func audit(_ check: StorageConformance.Check) async throws {
        try await check.run { MemoryStorage() }
    }

    @Test("it keeps what decides when jobs run", arguments: StorageConformance.controlChecks)
    func controls(_ check: StorageConformance.Check) async throws {
        try await check.run { MemoryStorage() }
    }

    @Test("it refuses as a storage must, where something makes it", arguments: StorageConformance.refusalChecks)
    func refuses(_ check: StorageConformance.RefusalCheck) async throws {
        let refuses = Locked(false)
        try await check.run {
            FaultInjectingStorage(MemoryStorage()) { call in
                refuses.withLock { $0 } ? StorageError("no room", code: .full) : nil
            }
        } refuse: { isRefusing in
            refuses.withLock { $0 = isRefusing }
        }
    }

    @Test("nothing in it survives the process, and it says so")
    func isNotDurable() {
        #expect(!MemoryStorage().isDurable)
    }

    @Test("two of them share nothing")
    func separate() async throws {
        let (one, other) = (MemoryStorage(), MemoryStorage())
        try await one.open(StorageOwner(name: "worker_1"))
        try await other.open(StorageOwner(name: "worker_1"))
        try await one.save([job(1)])
        let loaded = try await other.load(id(1))
        #expect(loaded == nil)
    }
}
