import Foundation
import JobReactor
import JobReactorNode
import JobReactorRedis
import JobReactorTesting
import Logging
import Testing

/// A Redis server that all suites share, each test with a prefix of its own.
enum SharedRedis {
    private static let server = Task { try await RedisServer.start() }

    static func location() async throws -> RedisLocation {
        let server = try await server.value
        return try #require(RedisLocation("\(server.url)/0?prefix=test-\(UUID().uuidString):"))
    }
}

extension RedisLocation {
    /// A new storage object for this place, as each process has one.
    func storage(lease: Double = 15) -> RedisStorage {
        RedisStorage(
            self,
            options: RedisStorage.Options(
                lease: lease, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
    }
}

/// A durable storage some of whose calls fail, or whose ownership a test takes away.
extension FaultInjectingStorage {
    /// Fails the calls with these numbers.
    static func failing(_ storage: any JobStorage, at numbers: Set<Int>) -> FaultInjectingStorage {
        FaultInjectingStorage(storage) { numbers.contains($0.number) ? fault : nil }
    }
}

/// How often each run of a script was begun, as the script itself says it: a line a run in a file.
final class RunLog: Sendable {
    let path: String

    init() {
        path = FileManager.default.temporaryDirectory.appending(path: "runs-\(UUID().uuidString)").path
        _ = FileManager.default.createFile(atPath: path, contents: nil)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var lines: [String] {
        ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: "\n").map(String.init)
    }

    /// Lua that appends a line, and the jobs that do nothing else.
    var lua: String {
        """
        local function note(line)
          local file = assert(io.open('\(path)', 'a'))
          file:write(line, '\\n')
          file:close()
        end
        job('note', function(args) note(args.text or 'ran') end)
        job('tell', function(args) note((args.retrying and 'again' or 'first') .. ' ' .. (args.text or '')) end)
        job('fail', function(args) note('fail') error('no good') end)
        job('gated', function(args)
          note('gated')
          repeat
            local gate = io.open(args.gate)
            if gate then gate:close() progress(0.5) end
          until not gate
        end)
        job('count', function(args) args.n = (args.n or 0) + 1 note('n ' .. args.n) end)
        """
    }
}
