import Testing

@testable import JobReactor

@Suite struct ParkedNamesTests {
    @Test("a name is told of once, until a node has defined it")
    func once() {
        var names = ParkedNames()
        expect(names.note("a") == .name)
        expect(names.note("a") == .no)
        expect(names.note("b") == .name)
        expect(names.forget(["a", "c"]) == ["a"])
        expect(names.note("a") == .name)
        expect(names.note("b") == .no)
    }

    @Test("what is said of a name is made once, until nodes define other jobs")
    func reasons() {
        var names = ParkedNames()
        expect(names.reason("a") { "one" } == "one")
        expect(names.reason("a") { "two" } == "one")
        names.forgetReasons()
        expect(names.reason("a") { "three" } == "three")
    }

    @Test("of more than a thousand it is told once that there are many")
    func bound() {
        var names = ParkedNames()
        for number in 0..<1000 { expect(names.note("\(number)") == .name) }
        expect(names.note("one more") == .tooMany)
        expect(names.note("and another") == .no)
        expect(names.forget(["7", "one more"]).count == 2)
        expect(names.note("another") == .name)
    }
}
