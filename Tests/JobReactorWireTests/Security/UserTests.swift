import JobReactorWire
import Testing

@Suite struct UserTests {
    @Test(
        "a pattern is the whole name, with * for any characters",
        arguments: [
            ("web-1", "web-1", true), ("web-1", "web-10", false), ("web-1", "xweb-1", false), ("*", "", true),
            ("*", "anything", true), ("web-*", "web-", true), ("web-*", "web", false), ("*-db", "eu-db", true),
            ("*-db", "eu-db-2", false), ("a*b*c", "abc", true), ("a*b*c", "a-b-b-c", true), ("a*b*c", "acb", false),
            ("**", "x", true), ("gpu?", "gpu1", false), ("größe*", "größe-1", true), ("", "", true), ("", "a", false),
            ("a*a", "a", false), ("*aab", "aaaab", true),
        ])
    func patterns(pattern: String, name: String, matches: Bool) {
        #expect(NamePattern(pattern).matches(name) == matches)
    }

    @Test("a pattern of many stars does not take long")
    func manyStars() {
        let pattern = NamePattern(String(repeating: "*a", count: 120) + "b")
        #expect(!pattern.matches(String(repeating: "a", count: 255)))
    }

    @Test("a user has its roles, and an admin has all")
    func roles() {
        let one = User(name: "one", roles: [.viewer, .producer])
        #expect(Role.allCases.filter(one.has) == [.viewer, .producer])
        #expect(Role.allCases.filter(User(name: "root", roles: [.admin]).has) == Role.allCases)
        #expect(Role.allCases.filter(User.standard.has) == Role.allCases)
        #expect(one.roleNames == "viewer,producer")
    }

    @Test("a node's user may be the node of its own name, and those that its patterns allow")
    func nodes() {
        let user = User(name: "n1", roles: [.node], nodes: [NamePattern("web-*")])
        #expect(["n1", "n2", "web-1", "web"].filter(user.mayBe) == ["n1", "web-1"])
        #expect(!User(name: "n1", roles: [.producer], nodes: [NamePattern("*")]).mayBe(node: "n1"))
        #expect(User.standard.mayBe(node: "any"))
    }

    @Test(
        "what is no user's name",
        arguments: ["", "a b", "a/b", "a:b", "#a", "a\n", String(repeating: "x", count: 65)])
    func names(name: String) {
        #expect(User.problem(in: name) != nil)
        #expect(User.problem(in: "größe-1.x_y@z") == nil)
    }
}
