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

    @Test("takes no more than it may, of what the states have, and gives back what goes")
    func limits() async throws {
        let memory = LuaMemory(limit: 10_000)
        let small = SharedDictionary(memory: memory, limit: 2000)
        let (a, b) = (key("a"), key("b"))
        expect(small.set(a, .string(String(repeating: "x", count: 1000)), ttl: nil))
        #expect(small.bytes == 1101 && memory.used == 1101)
        expect(!small.set(b, .string(String(repeating: "y", count: 1000)), ttl: nil))
        expect(!small.add(b, .json(Array(repeating: 32, count: 1000)), ttl: nil))
        #expect(small.get(b) == .nil && small.count == 1)
        // What takes the place of something needs only the rest.
        expect(small.set(a, .string(String(repeating: "z", count: 1800)), ttl: nil))
        expect(small.increment(b, by: .integer(1), ttl: nil) == nil)
        expect(small.set(a, .string("z"), ttl: 0.01))
        expect(small.increment(b, by: .integer(1), ttl: nil) == .integer(1))
        try await eventually("it expires") { small.get(a) == .nil }
        #expect(small.bytes == 101 && memory.used == 101)
        expect(small.set(b, .nil, ttl: nil))
        #expect(small.bytes == 0 && memory.used == 0)

        var large: SharedDictionary? = SharedDictionary(memory: memory)
        expect(large?.set(a, .string(String(repeating: "x", count: 9000)), ttl: nil) == true)
        expect(!small.set(a, .string(String(repeating: "x", count: 1000)), ttl: nil))
        large = nil
        #expect(memory.used == 0)
        expect(small.set(a, .string(String(repeating: "x", count: 1000)), ttl: nil))
    }

    /// Takes its argument before the macro sees it.
    private func expect(_ holds: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(holds, sourceLocation: sourceLocation)
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
