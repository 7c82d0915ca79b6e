import JobReactorCore
import Testing

@testable import JobReactor

@Suite("Which node has a job") struct OwnedJobsTests {
    private static func id(_ number: Int) -> JobID { JobID(high: UInt64(number), low: 7) }

    @Test("is remembered until the job has ended")
    func remembers() {
        var owned = OwnedJobs()
        owned.note(Self.id(1), at: "a")
        owned.note(Self.id(2), at: "b")
        owned.note(Self.id(3), at: "a")
        #expect([1, 2, 3, 4].map { owned.node(of: Self.id($0)) } == ["a", "b", "a", nil])
        owned.note(Self.id(3), at: "b")
        owned.remove(Self.id(1))
        owned.remove(Self.id(4))
        #expect([1, 2, 3].map { owned.node(of: Self.id($0)) } == [nil, "b", "b"])
        #expect(owned.count == 2)
    }

    @Test("goes to the node that takes over, and not to the first when that comes back")
    func moves() {
        var owned = OwnedJobs()
        owned.note(Self.id(1), at: "a")
        owned.note(Self.id(2), at: "b")
        owned.moved(from: "a", to: "b")
        owned.moved(from: "c", to: "b")
        owned.moved(from: "b", to: "b")
        owned.note(Self.id(3), at: "a")
        #expect([1, 2, 3].map { owned.node(of: Self.id($0)) } == ["b", "b", "a"])
        owned.moved(from: "a", to: "d")
        owned.note(Self.id(4), at: "b")
        #expect([1, 2, 3, 4].map { owned.node(of: Self.id($0)) } == ["b", "b", "d", "b"])
    }

    @Test("is forgotten of the oldest first, when there are more than the limit")
    func bound() {
        var owned = OwnedJobs(limit: 1000)
        for number in 0..<10_000 {
            owned.note(Self.id(number), at: "node \(number % 3)")
            #expect(owned.count <= 1000)
            #expect(owned.node(of: Self.id(max(0, number - 499))) == "node \(max(0, number - 499) % 3)")
        }
        #expect(owned.node(of: Self.id(8000)) == nil)
        for number in 0..<10_000 { owned.remove(Self.id(number)) }
        #expect(owned.count == 0)
    }

    @Test("does not grow with the names of nodes")
    func names() {
        var owned = OwnedJobs()
        for number in 0..<10_000 {
            owned.note(Self.id(number), at: "node \(number)")
            #expect(owned.node(of: Self.id(number)) == "node \(number)")
        }
        #expect(owned.count <= 4096)
    }
}
