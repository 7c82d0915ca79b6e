import Foundation
import JobReactorTesting
import JobReactorWire
import Logging
import Testing

@testable import JobReactorUsers

/// A file of users that ends with the test.
private final class UsersPath: Sendable {
    let path: String

    init(_ text: String? = nil, mode: Int = 0o600) throws {
        path = FileManager.default.temporaryDirectory.appending(path: "users-\(UUID().uuidString)").path
        if let text { try write(text, mode: mode) }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String, mode: Int = 0o600) throws {
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    var text: String { get throws { try String(contentsOfFile: path, encoding: .utf8) } }
}

/// A line of a user whose password is cheap to check.
private func line(_ name: String, _ roles: String, _ password: String, _ more: String = "") throws -> String {
    let hash = try #require(PasswordHash(of: Array(password.utf8), rounds: 4))
    return "\(name) \(roles) \(hash)\(more.isEmpty ? "" : " " + more)\n"
}

private func password(_ text: String) throws -> Password { try #require(Password(text)) }

private func problem(_ body: () throws -> Void) -> String? {
    do { try body() } catch { return (error as? WireError)?.message ?? "\(error)" }
    return nil
}

@Suite("A users file") struct UsersFileTests {
    @Test("lines are read, and what is none stays where it is when the file is written")
    func read() throws {
        let ann = try line("ann", "viewer,Producer", "a")
        let text = "# who may do what\n\n\(ann)  # more\n" + (try line("n1", "node", "b", "nodes=web-*,gpu"))
        let file = try UsersPath(text)
        var table = try UserTable(contentsOf: file.path)
        #expect(table.users.map(\.name) == ["ann", "n1"])
        #expect(table.users[0].roles == [.viewer, .producer])
        #expect(table.users[1].nodes.map(\.description) == ["web-*", "gpu"])
        try table.write(to: file.path)
        #expect(try file.text == text.replacing("Producer", with: "producer"))
        try table.add("bob", roles: [.operator], password: try password("c"))
        try table.remove("ann")
        try table.write(to: file.path)
        let lines = try file.text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 6 && lines[0] == "# who may do what" && lines[1] == "" && lines[2] == "  # more")
        #expect(lines[4].hasPrefix("bob operator $scrypt$ln=15,r=8,p=1$"))
        #expect(try UserTable(contentsOf: file.path).users.map(\.name) == ["n1", "bob"])
    }

    @Test("line ends may be those of another system, and a file of nobody is not empty")
    func lineEnds() throws {
        let file = try UsersPath("# first\r\n" + line("ann", "viewer", "a").replacing("\n", with: "\r\n"))
        #expect(try UserTable(contentsOf: file.path).users.map(\.name) == ["ann"])
        try UserTable().write(to: file.path)
        #expect(try file.text == "# no users\n")
    }

    @Test("a new file only its owner can read; an old one keeps its permissions, and is replaced as a whole")
    func permissions() throws {
        func mode(_ path: String) throws -> Int? {
            (try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?.intValue
        }
        let new = try UsersPath()
        try UserTable().write(to: new.path)
        #expect(try mode(new.path) == 0o600)
        let shared = try UsersPath("", mode: 0o640)
        try UserTable().write(to: shared.path)
        #expect(try mode(shared.path) == 0o640)
        try "".write(toFile: shared.path + ".new", atomically: false, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: shared.path + ".new") }
        #expect(
            problem { try UserTable().write(to: shared.path) }
                == "cannot write \(shared.path).new: another process is changing the users;"
                + " if none is, remove \(shared.path).new")
        let nowhere = "/no/such/folder/users"
        #expect(
            problem { try UserTable().write(to: nowhere) }
                == "cannot write \(nowhere).new: No such file or directory")
    }

    @Test("a file that others can read is refused", arguments: [0o644, 0o604, 0o660, 0o602, 0o601])
    func privacy(mode: Int) throws {
        let file = try UsersPath("", mode: mode)
        #expect(
            problem { _ = try UserTable(contentsOf: file.path) }
                == "\(file.path) is a users file and others can read it: chmod 600 \(file.path), or 640 for its group")
    }

    @Test("what is wrong is said with its line")
    func wrong() throws {
        let good = try line("ann", "viewer", "a")
        let hash = try #require(good.split(separator: " ").last?.split(separator: "\n").first)
        for (text, message) in [
            ("ann viewer", "a line is: name role,… hash [nodes=pattern,…]; jobreactor user add writes it"),
            (
                "ann viewer \(hash) nodes=a b",
                "a line is: name role,… hash [nodes=pattern,…]; jobreactor user add writes it"
            ),
            (
                "ann viewr \(hash)",
                "'viewr' is not a role: the roles are viewer, producer, node, operator, author, admin"
            ),
            ("ann viewer, \(hash)", "'' is not a role: the roles are viewer, producer, node, operator, author, admin"),
            ("ann viewer secret", "invalid hash of a password: jobreactor user passwd writes one"),
            ("ann viewer \(hash) node=x", "'node=x' is not nodes=pattern,…"),
            ("ann viewer \(hash) nodes=", "'nodes=' is not nodes=pattern,…"),
            ("a/b viewer \(hash)", "the user's name has a '/', a ':' or a '#' in front"),
            (
                "default viewer \(hash)",
                "'default' is the user with the password of the installation (security.password): choose another name"
            ),
        ] {
            let file = try UsersPath("# first\n\(text)\n")
            #expect(problem { _ = try UserTable(contentsOf: file.path) } == "\(file.path):2: \(message)")
        }
        let twice = try UsersPath(good + good)
        #expect(
            problem { _ = try UserTable(contentsOf: twice.path) }
                == "\(twice.path): the user 'ann' is listed twice: keep one of the lines")
        #expect(
            problem { _ = try UserTable(contentsOf: "/no/such") }?.hasPrefix("cannot read the users file /no/such: ")
                == true)
    }

    @Test("users are added, changed and removed, and what cannot be is said")
    func change() throws {
        var table = UserTable()
        try table.add("ann", roles: [.viewer], password: try password("a"))
        #expect(
            problem { try table.add("ann", roles: [.viewer], password: try password("b")) }
                == "the user 'ann' exists already: change the password with user passwd")
        #expect(problem { try table.add("bob", roles: [], password: try password("b")) } == "a user needs a role")
        let before = table.hash(of: "ann")
        try table.setPassword(try password("b"), of: "ann")
        #expect(table.hash(of: "ann") != before)
        #expect(table.hash(of: "ann")?.matches(Array("b".utf8)) == true)
        for body in [
            { try table.remove("bob") }, { try table.setPassword(try password("x"), of: "bob") },
        ] as [() throws -> Void] {
            #expect(problem(body) == "there is no user 'bob': user list shows all users")
        }
        try table.remove("ann")
        #expect(table.users.isEmpty)
    }
}

@Suite("The users of a server", .timeLimit(.minutes(5))) struct UsersOfFileTests {
    private static func check(_ users: UsersFile, _ name: String, _ password: String) async -> User? {
        await withCheckedContinuation { continuation in
            users.check(name, Array(password.utf8)) { continuation.resume(returning: $0) }
        }
    }

    private static func look(_ users: UsersFile, since state: Int = 0) async -> (names: Set<String>, state: Int) {
        await withCheckedContinuation { continuation in
            users.look(since: state) { continuation.resume(returning: (Set($0.keys), $1)) }
        }
    }

    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    @Test("log in with their passwords, the second time too, and with no other")
    func logIn() async throws {
        let file = try UsersPath(try line("ann", "viewer", "secret") + line("bob", "operator", "sesame"))
        let users = try UsersFile(file.path, logger: Self.logger)
        for _ in 0..<2 {
            #expect(await Self.check(users, "ann", "secret")?.roles == [.viewer])
            #expect(await Self.check(users, "bob", "sesame")?.roles == [.operator])
            for (name, guess) in [("ann", "sesame"), ("ann", ""), ("bob", "secret"), ("carl", "secret"), ("", "")] {
                #expect(await Self.check(users, name, guess) == nil)
            }
        }
    }

    @Test("take as long to be refused when nobody has the name: it is checked like that of another, and never right")
    func nobodysName() async throws {
        let file = try UsersPath(try line("ann", "viewer", "secret") + line("bob", "operator", "sesame"))
        let table = try UserTable(contentsOf: file.path)
        #expect(table.hashToCheck("bob") == table.hash(of: "bob"))
        #expect(table.hash(of: "carl") == nil)
        #expect(table.hashToCheck("carl") == table.hash(of: "ann"))
        #expect(UserTable().hashToCheck("carl") == nil)
        let users = try UsersFile(file.path, logger: Self.logger)
        for _ in 0..<2 { #expect(await Self.check(users, "carl", "secret") == nil) }
        #expect(users.known("carl", Array("secret".utf8)) == nil)
    }

    @Test("come and go with the file, and stay as they were while that is of no use")
    func readAnew() async throws {
        let ann = try line("ann", "viewer", "secret")
        let file = try UsersPath(ann)
        let users = try UsersFile(file.path, logger: Self.logger)
        let first = await Self.look(users)
        #expect(first.names == ["ann"])
        #expect(await Self.look(users, since: first.state).state == first.state)
        #expect(await Self.check(users, "ann", "secret") != nil)

        try file.write(ann + line("bob", "viewer", "sesame"))
        #expect(await Self.check(users, "bob", "sesame") != nil)
        let second = await Self.look(users)
        #expect(second.names == ["ann", "bob"] && second.state != first.state)

        try file.write(ann + "rubbish\n")
        #expect(await Self.look(users).state == second.state)
        #expect(await Self.check(users, "bob", "sesame") != nil)
        // As it is while somebody writes it anew, or with a mode that it must not have.
        try file.write("")
        #expect(await Self.look(users).state == second.state)
        try file.write(ann, mode: 0o644)
        #expect(await Self.look(users).state == second.state)
        try FileManager.default.removeItem(atPath: file.path)
        #expect(await Self.look(users).state == second.state)

        // The same name with another password, and other roles.
        try file.write(try line("ann", "admin", "other"))
        let third = await Self.look(users)
        #expect(third.names == ["ann"] && third.state != second.state)
        #expect(await Self.check(users, "ann", "secret") == nil)
        #expect(await Self.check(users, "ann", "other")?.roles == [.admin])
        #expect(await Self.check(users, "bob", "sesame") == nil)
    }
}
