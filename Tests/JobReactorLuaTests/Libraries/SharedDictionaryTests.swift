import JobReactorLua
import Testing

@Suite("The shared dictionary") struct SharedDictionaryTests {
    private let shared = SharedDictionary()
    private func key(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("keeps, replaces and removes values")
    func values() {
        #expect(shared.get(key("k")) == .nil)
        shared.set(key("k"), .string("v"), ttl: nil)
        #expect(shared.get(key("k")) == .string("v"))
        #expect(!shared.add(key("k"), .integer(1), ttl: nil))
        shared.set(key("k"), .nil, ttl: nil)
        #expect(shared.add(key("k"), .integer(1), ttl: nil))
        #expect(shared.delete(key("k")) && !shared.delete(key("k")))
    }

    @Test("adds whole numbers and others")
    func increments() {
        #expect(shared.increment(key("n"), by: .integer(2), ttl: nil) == .integer(2))
        #expect(shared.increment(key("n"), by: .integer(-5), ttl: nil) == .integer(-3))
        #expect(shared.increment(key("n"), by: .number(0.5), ttl: nil) == .number(-2.5))
        shared.set(key("n"), .string("text"), ttl: nil)
        #expect(shared.increment(key("n"), by: .integer(1), ttl: nil) == nil)
    }

    @Test("forgets what has expired, and keeps what was set again")
    func expiry() async throws {
        shared.set(key("short"), .integer(1), ttl: 0.01)
        shared.set(key("again"), .integer(1), ttl: 0.01)
        shared.set(key("again"), .integer(2), ttl: 1000)
        try await eventually("it expires") { shared.get(key("short")) == .nil }
        #expect(shared.get(key("again")) == .integer(2))
        for n in 0..<5000 { shared.set(key("again"), .integer(Int64(n)), ttl: 1000) }
        #expect(shared.get(key("again")) == .integer(4999) && shared.count == 1)
    }
}
