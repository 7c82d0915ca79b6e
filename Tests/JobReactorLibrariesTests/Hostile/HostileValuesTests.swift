import Foundation
import JobReactorLua
import JobReactorTesting
import Testing

@testable import JobReactorLibraries

/// Every function of the host, with values that its Lua text would not let through: each call comes to an end, by a result or by an
/// error with words, and the process goes on.
@Suite("Hostile values", .serialized, .timeLimit(.minutes(10))) struct HostileValuesTests {
    private func attempt(_ caller: Caller, _ name: String, _ values: [ScriptValue]) async {
        do {
            _ = try await caller.call(name, values)
        } catch {
            #expect(!"\(error)".isEmpty)
        }
    }

    @Test("of hash", arguments: HashLibrary().functions.map(\.name))
    func hash(_ function: String) async throws {
        let caller = Caller(library: HashLibrary())
        for value in HostileValues.all {
            await attempt(caller, function, [value])
            await attempt(caller, function, [value, .string("a")])
            await attempt(caller, function, [.string("a"), value])
        }
        await attempt(caller, function, [])
        let digest = try await caller.call("sha1", .string("abc"))
        #expect(digest == [.string("a9993e364706816aba3e25717850c26c9cd0d89d")])
    }

    @Test("of http", arguments: [1, 2] as [UInt64])
    func http(_ seed: UInt64) async throws {
        try await WebServer.with({ .text($0.uri) }) { server in
            // In a sandbox, where no file is written whatever it is called.
            let caller = Caller(library: HTTPLibrary(), isSandboxed: true)
            var values = HostileValues(seed: seed)
            var headers = PackedStrings()
            for text in ["X-A", "1", "X-B", "2"] { headers.append(text.utf8) }
            let good: [ScriptValue] = [
                .string("GET"), .string(server.url + "/x"), .string(headers.bytes), .nil, .number(20), .integer(1000),
                .integer(2), .nil,
                .bool(false), .nil, .bool(false), .nil,
            ]
            for _ in 0..<100 { await attempt(caller, "request", values.spoil(good)) }
            // Each value in half of the places.
            for (number, value) in HostileValues.all.enumerated() {
                for index in good.indices where UInt64(number + index) % 2 == seed % 2 {
                    var one = good
                    one[index] = value
                    await attempt(caller, "request", one)
                }
            }
            let reply = try await Web().request(server.url + "/still-there")
            #expect(reply.body == "/still-there")
        }
    }

    @Test("of http, as paths of files")
    func files() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "jobreactor-http-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await WebServer.with({ _ in .text("x") }) { server in
            let caller = Caller(library: HTTPLibrary())
            for name in HostileValues.strings where !name.contains(UInt8(ascii: "/")) {
                for index in [7, 9] {
                    var values: [ScriptValue] =
                        [.string("GET"), .string(server.url)] + Array(repeating: .nil, count: 10)
                    values[index] = .string(Array("\(folder)/".utf8) + name)
                    await attempt(caller, "request", values)
                }
            }
        }
    }

    @Test("of exec", arguments: [1, 2] as [UInt64])
    func exec(_ seed: UInt64) async throws {
        let caller = Caller(library: ExecLibrary())
        var values = HostileValues(seed: seed)
        let good: [ScriptValue] = [
            .string("input"), .number(20), .integer(1000), .string("/"), .string([]), .string("true"), .string("a"),
        ]
        for _ in 0..<50 { await attempt(caller, "run", values.spoil(good)) }
        // Each value in one place.
        for (number, value) in HostileValues.all.enumerated() {
            var one = good
            one[1 + (number + Int(seed)) % 6] = value
            await attempt(caller, "run", one)
            var environment = PackedStrings()
            environment.append(value.bytes ?? [])
            environment.append(value.bytes ?? [])
            await attempt(caller, "run", [.nil, .nil, .nil, .nil, .string(environment.bytes), .string("true")])
        }
        let result = try await caller.call("run", good)
        #expect(result.first == .integer(0))
    }

    @Test("of redis", arguments: [1, 2] as [UInt64])
    func redis(_ seed: UInt64) async throws {
        let server = try await RedisServer.start()
        let caller = Caller(library: RedisLibrary())
        let number = try await caller.call("connect", .string(server.url))[0]
        var values = HostileValues(seed: seed)
        for value in HostileValues.all {
            await attempt(caller, "connect", [value])
            await attempt(caller, "call", [value, .string("PING")])
            await attempt(caller, "call", [number, value])
            await attempt(caller, "call", [number, .string("ECHO"), value])
        }
        await attempt(caller, "connect", [])
        await attempt(caller, "call", [])
        await attempt(caller, "call", [number])
        for _ in 0..<100 {
            await attempt(caller, "call", values.spoil([number, .string("SET"), .string("k"), .string("v")]))
        }
        let pong = try await caller.call("call", [number, .string("PING")])
        #expect(pong == [.string("PONG")])
        withExtendedLifetime(server) {}
    }
}
