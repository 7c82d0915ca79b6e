import Foundation
import JobReactorTesting

/// Where the processes keep their jobs.
enum ChaosPlace {
    enum Kind: String, CaseIterable, Sendable { case redis, sqlite }
}

/// A process that can be killed and started again, as often as need be, with its log in a file.
final class Member: Sendable {
    let name: String
    private let program: String
    private let arguments: [String]
    private let log: String
    private let process = Guarded<Process?>(nil)
    private let started = Guarded<Set<Int32>>([])
    /// Ends with the process.
    private let ended = Guarded<AsyncStream<Void>?>(nil)

    init(_ name: String, _ program: String, _ arguments: [String], folder: String) throws {
        self.name = name
        self.program = program
        self.arguments = arguments
        log = "\(folder)/\(name).log"
        _ = FileManager.default.createFile(atPath: log, contents: nil)
    }

    func start() throws {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        let output = try FileHandle(forWritingTo: URL(filePath: log))
        try output.seekToEnd()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        let (ended, end) = AsyncStream<Void>.makeStream()
        process.terminationHandler = { _ in end.finish() }
        self.ended.withLock { $0 = ended }
        try process.run()
        try endWithUs(process.processIdentifier)
        self.process.withLock { $0 = process }
        _ = started.withLock { $0.insert(process.processIdentifier) }
    }

    /// The ids of the processes that it has been.
    var processes: Set<Int32> { started.withLock { $0 } }

    func signal(_ number: Int32) {
        process.withLock { process in
            if let process, process.isRunning { Foundation.kill(process.processIdentifier, number) }
        }
    }

    func kill() async {
        signal(SIGCONT)
        signal(SIGKILL)
        if let ended = ended.withLock({ $0 }) { for await _ in ended {} }
    }

    /// A shell that ends the process when this one is gone, however it went.
    private func endWithUs(_ child: Int32) throws {
        let watch = Process()
        watch.executableURL = URL(filePath: "/bin/sh")
        watch.arguments = [
            "-c",
            """
            while kill -0 "$1" 2>/dev/null; do kill -0 "$2" 2>/dev/null || exit 0; sleep 1; done
            if grep -q "$3" "/proc/$2/cmdline" 2>/dev/null; then kill -KILL "$2"; fi
            """, "watch", "\(getpid())", "\(child)", name,
        ]
        watch.standardInput = FileHandle.nullDevice
        watch.standardOutput = FileHandle.nullDevice
        watch.standardError = FileHandle.nullDevice
        try watch.run()
    }
}

/// All that runs: two distributors, nodes that serve both, the storage, and proxies in between whose connections can be
/// cut.
final class ChaosInstallation: Sendable {
    let folder: String
    let distributors: [Member]
    let nodes: [Member]
    let ports: [Int]
    /// Between the nodes and each distributor.
    let nodeProxies: [TCPProxy]
    /// Between the producers and each distributor.
    let clientProxies: [TCPProxy]
    let redis: RedisServer?
    /// Between everyone and the storage.
    let redisProxy: TCPProxy?
    let runFile: String
    private let isKept = Guarded(false)

    private static let script = """
        -- A line a run, in one write: its number, by which process, and when.
        local pid = assert(io.open('/proc/self/stat')):read('n')
        local function note(args)
          local file = assert(io.open(args.file, 'a'))
          file:write(string.format('%d %d %d\\n', args.n, pid, os.time()))
          file:close()
        end
        job('plain', function(args) note(args) end)
        job('flaky', { max_attempt = 1000, backoff = function() return 0.2 end }, function(args)
          note(args)
          if args.job_itself.attempt % 2 == 1 then error('once more') end
        end)
        job('busy', function(args)
          note(args)
          local x = 0
          for i = 1, 2e5 do x = x + i end
        end)
        """

    init(programs: String, storage: ChaosPlace.Kind, nodes count: Int) async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "jobreactor-chaos-\(UUID().uuidString)").path
        runFile = folder + "/runs"
        try FileManager.default.createDirectory(atPath: folder + "/jobs", withIntermediateDirectories: true)
        try Self.script.write(toFile: folder + "/jobs/jobs.lua", atomically: true, encoding: .utf8)
        _ = FileManager.default.createFile(atPath: runFile, contents: nil)
        let redis = storage == .redis ? try await RedisServer.start() : nil
        self.redis = redis
        let redisProxy: TCPProxy? = if let redis { try await TCPProxy.start(to: redis.port) } else { nil }
        self.redisProxy = redisProxy
        let folder = folder
        func option(_ name: String) -> [String] {
            ["--storage", redisProxy.map { "redis://127.0.0.1:\($0.port)" } ?? "sqlite:\(folder)/\(name).sqlite"]
        }
        let program = programs + "/jobreactor"
        var ports: [Int] = []
        var distributors: [Member] = []
        for number in 1...2 {
            let port = try RedisServer.freePort()
            ports.append(port)
            distributors.append(
                try Member(
                    "d\(number)", program,
                    [
                        "distributor", "--listen", "localhost:\(port)", "--distributor-name", "d\(number)",
                        "--takeover-time", "5",
                    ] + option("d\(number)"), folder: folder))
        }
        (self.ports, self.distributors) = (ports, distributors)
        for distributor in distributors { try distributor.start() }
        var nodeProxies: [TCPProxy] = []
        var clientProxies: [TCPProxy] = []
        for port in ports {
            nodeProxies.append(try await TCPProxy.start(to: port))
            clientProxies.append(try await TCPProxy.start(to: port))
        }
        (self.nodeProxies, self.clientProxies) = (nodeProxies, clientProxies)
        nodes = try (1...count).map { number in
            let addresses = nodeProxies.flatMap { ["--distributor", "127.0.0.1:\($0.port)"] }
            return try Member(
                "n\(number)", program,
                ["node", "--name", "n\(number)", "--jobs", folder + "/jobs", "--merge-job-itself-to-args"] + addresses
                    + option("n\(number)"), folder: folder)
        }
        for node in nodes { try node.start() }
    }

    var members: [Member] { nodes + distributors }

    /// What ran, in the order it was noted.
    func runs() -> [Run] {
        let text = (try? String(contentsOfFile: runFile, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 3, let number = Int(words[0]), let process = Int32(words[1]),
                let second = Int(words[2])
            else { return nil }
            let member = members.first { $0.processes.contains(process) }
            return Run(number: number, member: member?.name ?? "", second: second)
        }
    }

    /// One run of a job.
    struct Run {
        let number: Int
        let member: String
        let second: Int
    }

    func keep() { isKept.withLock { $0 = true } }

    func end() {
        for member in members { member.signal(SIGCONT) }
        for member in members { member.signal(SIGKILL) }
        if !isKept.withLock({ $0 }) { try? FileManager.default.removeItem(atPath: folder) }
    }
}

/// A value behind a lock.
final class Guarded<Value: Sendable>: Sendable {
    private let lock = NSLock()
    // Only touched while the lock is held.
    private nonisolated(unsafe) var value: Value

    init(_ value: Value) { self.value = value }

    func withLock<Result>(_ body: (inout Value) throws -> Result) rethrows -> Result {
        lock.lock()
        defer { lock.unlock() }
        return try body(&value)
    }
}
