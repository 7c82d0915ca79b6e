import JobReactorLua
import Testing

/// `equal` says what differs, and where.
@Suite struct EqualTests {
    @Test(
        arguments: [
            "equal(1, 1.0)", "equal('a', 'a')", "equal(nil, nil)", "equal({}, {})", "equal(0/0, 0/0)",
            "equal({ a = { 1, { b = 'x' } } }, { a = { 1, { b = 'x' } } })", "equal(json.null, json.null)",
            "equal(json.array(), {})", "equal(json.decode('[1,{}]'), { 1, {} })",
            "local a, b = {}, {} a.own, b.own = a, b equal(a, b)",
        ])
    func whatIsTheSamePasses(body: String) async throws {
        #expect(try await ScriptTests.failure(body) == nil)
    }

    @Test(
        arguments: [
            ("equal(1, 2)", "got 1, expected 2"),
            ("equal('1', 1)", "got '1', expected 1"),
            ("equal(nil, false)", "got nil, expected false"),
            ("equal({ a = 1 }, { a = 2 })", ".a: got 1, expected 2"),
            ("equal({ a = { { ['b c'] = true } } }, { a = { {} } })", ".a[1]['b c']: got true, expected nil"),
            ("equal({ 1, 2 }, { 1 })", "[2]: got 2, expected nil"),
            ("equal({ x = {} }, { x = 'it\\'s\\n' })", ".x: got {}, expected 'it\\'s\\n'"),
            ("equal({ x = { 1, y = { 'z' } } }, {})", ".x: got { 1, y = { 'z' } }, expected nil"),
            ("equal(json.null, nil)", "got null, expected nil"),
        ])
    func aDifferenceIsTold(body: String, difference: String) async throws {
        #expect(try await ScriptTests.failure(body) == "t_test.lua:2: not equal: \(difference)")
    }

    @Test func differencesAreTold() async throws {
        #expect(
            try await ScriptTests.failure("equal({ a = 1, b = 2, c = 3 }, { a = 2, b = 2, c = 4 })") == """
                t_test.lua:2: not equal:
                .a: got 1, expected 2
                .c: got 3, expected 4
                """)
    }

    @Test func ofManyDifferencesTheFirstAreTold() async throws {
        let failure = try #require(
            try await ScriptTests.failure("local t = {} for i = 1, 25 do t[i] = i end equal(t, {})"))
        #expect(failure.hasSuffix("[10]: got 10, expected nil\n… and 15 more"))
    }

    @Test func longTextsAreToldFromWhereTheyDiffer() async throws {
        let failure = try await ScriptTests.failure("local x = ('x'):rep(100) equal(x .. 'a', x .. 'b')")
        let same = String(repeating: "x", count: 20)
        #expect(
            failure == "t_test.lua:2: not equal: got …'\(same)a', expected …'\(same)b' (they differ from byte 101 on)")
    }
}
