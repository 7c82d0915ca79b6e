import NIOCore
import Testing

@testable import JobReactorWire

@Suite("What a port holds for peers that keep it waiting") struct HeldBytesTests {
    private typealias Held = HeldBytes<String>

    private static func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }

    private static func held() -> Held { Held(budget: 1000, mostUnread: 600, seconds: 10) }

    @Test("a message that is not complete in time ends its connection; one that ended and another that began do not")
    func unfinished() {
        var held = Self.held()
        for second in 1...9 as ClosedRange<Int64> {
            #expect(Self.input(&held, "drips", Int(second), isNew: second == 1, second) == nil)
            #expect(Self.input(&held, "goes on", 5, isNew: true, second) == nil)
        }
        #expect(held.overdue(at: Self.at(10)).isEmpty)
        let overdue = held.overdue(at: Self.at(11))
        #expect(overdue.map(\.0) == ["drips"] && overdue.map(\.1) == [.unfinished(seconds: 10)])
        #expect(held.total == 14)
        _ = Self.input(&held, "drips", 0, isNew: true, 12)
        #expect(held.overdue(at: Self.at(18)).isEmpty && held.total == 5)
    }

    @Test("bytes that wait to be read count, and have no time of their own")
    func waiting() {
        var held = Self.held()
        #expect(held.noteInput("waits", 0, waiting: 700, isNew: false, at: Self.at(1)) == nil)
        #expect(Self.input(&held, "new", 300, isNew: true, 2) == nil)
        #expect(held.total == 1000 && held.overdue(at: Self.at(11)).isEmpty)
        #expect(Self.input(&held, "new", 301, isNew: false, 3)?.0 == "waits")
        // What has begun cannot be completed meanwhile.
        #expect(held.noteInput("waits", 10, waiting: 500, isNew: true, at: Self.at(4)) == nil)
        #expect(held.overdue(at: Self.at(99)).map(\.0) == ["new"])
        _ = Self.input(&held, "waits", 0, isNew: false, 5)
        #expect(held.total == 301)
    }

    @Test("a peer that reads nothing for so long goes; one that reads a little stays")
    func unread() {
        var held = Self.held()
        for second in 1...20 as ClosedRange<Int64> {
            #expect(held.noteOutput("reads", 100, taken: Int(second), at: Self.at(second)) == nil)
            #expect(held.noteOutput("does not", 100 + Int(second), taken: 7, at: Self.at(second)) == nil)
        }
        #expect(Set(held.unread) == ["reads", "does not"])
        #expect(held.overdue(at: Self.at(20)).map(\.0) == ["does not"])
        _ = held.noteOutput("does not", 0, taken: 200, at: Self.at(20))
        #expect(held.overdue(at: Self.at(29)).isEmpty)
        // What waits anew waits from then on.
        _ = held.noteOutput("does not", 3, taken: 200, at: Self.at(25))
        #expect(held.overdue(at: Self.at(34)).map(\.0) == ["reads"])
    }

    @Test("more unread bytes than one may have end it at once")
    func tooMuchUnread() {
        var held = Self.held()
        #expect(held.noteOutput("a", 600, taken: 0, at: Self.at(1)) == nil)
        let end = held.noteOutput("a", 601, taken: 0, at: Self.at(1))
        #expect(end?.0 == "a" && end?.1 == .unreadBytes(limit: 600))
    }

    @Test("beyond the budget of all the one goes that has kept us waiting longest, whoever comes beyond it")
    func budget() {
        var held = Self.held()
        #expect(Self.input(&held, "old", 300, isNew: true, 1) == nil)
        #expect(held.noteOutput("older", 300, taken: 0, at: Self.at(0)) == nil)
        #expect(Self.input(&held, "new", 400, isNew: true, 2) == nil)
        let end = Self.input(&held, "new", 401, isNew: false, 3)
        #expect(end?.0 == "older" && end?.1 == .budget(limit: 1000))
        held.remove("older")
        #expect(held.total == 701)
        #expect(Self.input(&held, "newest", 300, isNew: true, 4)?.0 == "old")
        for key in ["old", "new", "newest", "nobody"] { held.remove(key) }
        #expect(held.isEmpty && held.total == 0)
    }

    private static func input(
        _ held: inout Held, _ key: String, _ bytes: Int, isNew: Bool, _ second: Int64
    ) -> (String, Held.Reason)? {
        held.noteInput(key, bytes, isNew: isNew, at: at(second))
    }
}
