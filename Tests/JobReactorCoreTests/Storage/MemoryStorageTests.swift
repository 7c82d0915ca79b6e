import JobReactorCore
import JobReactorTesting
import Testing

@Suite struct MemoryStorageTests {
    @Test("it is what a storage must be", arguments: StorageConformance.checks)
    func conforms(to check: StorageConformance.Check) async throws {
        try await check.run { MemoryStorage() }
    }

    @Test("nothing in it survives the process, and it says so")
    func isNotDurable() {
        #expect(!MemoryStorage().isDurable)
    }

    @Test("two of them share nothing")
    func separate() async {
        let (one, other) = (MemoryStorage(), MemoryStorage())
        _ = await withCheckedContinuation { done in one.save([job(1)]) { done.resume(returning: $0) } }
        let loaded = await withCheckedContinuation { done in other.load(id(1)) { done.resume(returning: $0) } }
        #expect(loaded == .success(nil))
    }
}
