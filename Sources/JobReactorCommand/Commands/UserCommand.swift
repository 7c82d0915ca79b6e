internal import ArgumentParser
private import JobReactorCore
internal import JobReactorUsers
internal import JobReactorWire

#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user",
        abstract: "Change the users of a server and their roles, in the file that servers read with --users.",
        discussion: """
            Servers read the file again when it changes, and disconnect users that were removed or have other roles than \
            before. The command asks for a password on the terminal, or reads one line of standard input. The file contains \
            scrypt hashes of passwords, never the passwords themselves.

            Roles: viewer reads, producer enqueues, node runs jobs, operator cancels, retries and destroys jobs, author \
            reloads scripts, admin has all rights.
            """,
        subcommands: [Add.self, List.self, Remove.self, ChangePassword.self])

    /// The file to change.
    struct File: ParsableArguments {
        @Option(\.users) var users: String?
        @Flag(help: "Print a JSON object.") var json = false
        @OptionGroup var common: CommonOptions

        /// Of a change, which says nothing else.
        func answer(_ change: String, _ name: String) throws(CommandFailure) {
            guard json else { return }
            try Terminal.result(json: JSONValue.object(["change": .string(change), "user": .string(name)]).json)
        }

        func path() throws(CommandFailure) -> String {
            if let path = try common.settings().value(\.users, flag: users) { return path }
            throw .usage("name the file: --users FILE")
        }

        /// Nothing is written when `body` throws.
        func change(_ body: (inout UserTable) throws(WireError) -> Void) throws(CommandFailure) {
            let path = try path()
            do throws(WireError) {
                var table = access(path, F_OK) == 0 ? try UserTable(contentsOf: path) : UserTable()
                try body(&table)
                try table.write(to: path)
            } catch { throw .usage(error.message) }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a user; the file is created if it does not exist.")

        @Argument(help: "Up to 64 bytes, without spaces, '/' and ':'.") var name: String
        @Option(
            help: ArgumentHelp("Roles of the user, separated by commas.", valueName: "role,…"),
            completion: .list(Role.allCases.map(\.rawValue)))
        var role: [String]
        @Option(
            help: ArgumentHelp(
                "Further names for nodes of this user; * stands for any characters.",
                valueName: "pattern,…"))
        var nodes: [String] = []
        @OptionGroup var file: File

        func run() async throws {
            let name = name
            let roles = try UserTable.roles(role.joined(separator: ","))
            let patterns = nodes.flatMap { $0.split(separator: ",") }.map { NamePattern(String($0)) }
            if let wrong = patterns.first(where: { Name.problem(in: $0.description) != nil }) {
                throw CommandFailure.usage("--nodes takes names of nodes, which may contain *, not '\(wrong)'")
            }
            // What is wrong is told before anyone types a password.
            try UserTable.check(new: name)
            let password = try NewPassword.read()
            try file.change { (table) throws(WireError) in
                try table.add(name, roles: roles, nodes: patterns, password: password)
            }
            try file.answer("add", name)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the users and their roles.")

        @OptionGroup var file: File

        func run() async throws {
            let users = try UserTable(contentsOf: try file.path()).users
            guard !file.json else {
                let list = users.map { user in
                    JSONValue.object([
                        "user": .string(user.name),
                        "roles": .array(user.roles.map(\.rawValue).sorted().map { .string($0) }),
                        "nodes": .array(user.nodes.map { .string($0.description) }),
                    ])
                }
                return try Terminal.result(json: JSONValue.object(["users": .array(list)]).json)
            }
            var table = TextTable(["USER", "ROLES", "NODES"], numbers: [])
            for user in users {
                table.add([user.name, user.roleNames, user.nodes.map(\.description).joined(separator: ",")])
            }
            try Terminal.result(table.text)
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove a user; servers disconnect the user within seconds.")

        @Argument var name: String
        @OptionGroup var file: File

        func run() async throws {
            let name = name
            try file.change { (table) throws(WireError) in try table.remove(name) }
            try file.answer("remove", name)
        }
    }

    struct ChangePassword: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "passwd", abstract: "Change the password of a user.")

        @Argument var name: String
        @OptionGroup var file: File

        func run() async throws {
            let name = name
            let password = try NewPassword.read()
            try file.change { (table) throws(WireError) in try table.setPassword(password, of: name) }
            try file.answer("passwd", name)
        }
    }
}

/// A password that somebody chooses.
private enum NewPassword {
    /// From the terminal, twice and unseen, or one line of standard input.
    static func read() throws(WireError) -> Password {
        guard isatty(STDIN_FILENO) == 1 else {
            guard let password = readLine().flatMap({ Password($0) }) else {
                throw WireError(.configuration, "the password is empty: write it to standard input, as one line")
            }
            return password
        }
        guard let password = ask("Password: ").flatMap({ Password($0) }) else {
            throw WireError(.configuration, "the password is empty")
        }
        guard ask("Repeat the password: ") == password.text else {
            throw WireError(.configuration, "the two passwords differ: nothing has changed")
        }
        return password
    }

    private static func ask(_ prompt: String) -> String? { getpass(prompt).map { String(cString: $0) } }
}
