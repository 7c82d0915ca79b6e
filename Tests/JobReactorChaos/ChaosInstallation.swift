import Foundation
import JobReactorTesting

/// Where the processes keep their jobs.
enum ChaosPlace {
    enum Kind: String, CaseIterable, Sendable { case redis, sqlite }
}

/// All that runs: two distributors, nodes that serve both, producers, the storages on disks of their own, and proxies in
/// between whose connections can be cut.
final class ChaosInstallation: Sendable {
    let folder: String
    let distributors: [Member]
    let nodes: [Member]
    let ports: [Int]
    /// Between the nodes and each distributor.
    let nodeProxies: [TCPProxy]
    /// Between the producers and each distributor.
    let clientProxies: [TCPProxy]
    /// Each enqueues at one of the distributors.
    let producers: [Member]
    let storages: [any BreakableStorage]
    /// Between everyone and the storage, when that is Redis.
    let redisProxy: TCPProxy?
    let runFile: String
    /// Where jobs note when they begin and end that say when others may run.
    let traceFile: String
    private let kind: ChaosPlace.Kind
    private let disks: [Disk]
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

        """ + TimedWork.script

    /// The producers have the jobs of those numbers, to be enqueued within that time.
    init(
        programs: String, storage: ChaosPlace.Kind, nodes count: Int, produced numbers: Range<Int>, over seconds: Double
    ) async throws {
        kind = storage
        folder = FileManager.default.temporaryDirectory.appending(path: "jobreactor-chaos-\(UUID().uuidString)").path
        runFile = folder + "/runs"
        traceFile = folder + "/traces"
        try FileManager.default.createDirectory(atPath: folder + "/jobs", withIntermediateDirectories: true)
        try Self.script.write(toFile: folder + "/jobs/jobs.lua", atomically: true, encoding: .utf8)
        for file in [runFile, traceFile] { _ = FileManager.default.createFile(atPath: file, contents: nil) }
        let stores = try await Stores(storage, of: (1...2).map { "d\($0)" } + (1...count).map { "n\($0)" }, in: folder)
        (disks, storages, redisProxy) = (stores.disks, stores.all, stores.proxy)
        let folder = folder
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
                        "--takeover-time", "5", "--storage", stores.location(of: "d\(number)"),
                    ], folder: folder))
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
                    + ["--storage", stores.location(of: "n\(number)")], folder: folder)
        }
        producers = try clientProxies.enumerated().map { index, proxy in
            let (half, name) = (numbers.count / 2, "p\(index + 1)")
            let part = index == 0 ? numbers.prefix(half) : numbers.dropFirst(half)
            _ = FileManager.default.createFile(atPath: "\(folder)/\(name).accepted", contents: nil)
            return try Member(
                name, programs + "/JobReactorChaos",
                [
                    "produce", "--name", name, "--port", "\(proxy.port)", "--runs", folder + "/runs",
                    "--accepted", "\(folder)/\(name).accepted", "--from", "\(part.lowerBound)",
                    "--to", "\(part.upperBound)", "--over", "\(seconds)",
                ], ends: true, folder: folder)
        }
        for node in nodes { try node.start() }
    }

    var members: [Member] { nodes + distributors + producers }

    func member(_ name: String) -> Member? { members.first { $0.name == name } }
    func storage(_ name: String) -> (any BreakableStorage)? { storages.first { $0.name == name } }
    func proxy(_ name: String) -> TCPProxy? { proxies.first { $0.name == name }?.proxy }

    private var proxies: [(name: String, proxy: TCPProxy)] {
        func named(_ what: String, _ proxies: [TCPProxy]) -> [(name: String, proxy: TCPProxy)] {
            proxies.enumerated().map { (name: "\(what) of d\($0.offset + 1)", proxy: $0.element) }
        }
        return named("nodes", nodeProxies) + named("producers", clientProxies)
            + (redisProxy.map { [(name: "all of redis", proxy: $0)] } ?? [])
    }

    var targets: FaultPlan.Targets {
        FaultPlan.Targets(
            storage: kind, nodes: nodes.map(\.name), others: (distributors + producers).map(\.name),
            proxies: proxies.map(\.name), storages: storages.map(\.name))
    }

    /// The numbers that the producers know to be accepted.
    func accepted() -> Set<Int> {
        Set(
            producers.flatMap { producer in
                let text = try? String(contentsOfFile: "\(folder)/\(producer.name).accepted", encoding: .utf8)
                return (text ?? "").split(separator: "\n").compactMap { Int($0) }
            })
    }

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

    /// How often a process has said that its storage refused something: that the faults were felt.
    var refusals: Int {
        (nodes + distributors).reduce(0) {
            $0 + $1.count(["the storage refuses", "could not be stored; storing is retried"])
        }
    }

    func keep() { isKept.withLock { $0 = true } }

    func end() async {
        for member in members { await member.kill() }
        let isKept = isKept.withLock { $0 }
        for disk in disks {
            // What is on it goes with it.
            if isKept { try? FileManager.default.copyItem(atPath: disk.folder, toPath: disk.folder + ".kept") }
            disk.unmount()
        }
        if !isKept { try? FileManager.default.removeItem(atPath: folder) }
    }
}

/// The storages, and where each process finds its own.
private struct Stores {
    private(set) var disks: [Disk] = []
    private(set) var all: [any BreakableStorage] = []
    private(set) var proxy: TCPProxy?
    private var locations: [String: String] = [:]

    init(_ kind: ChaosPlace.Kind, of members: [String], in folder: String) async throws {
        switch kind {
        case .redis:
            let disk = try Disk(folder + "/disk-redis")
            let server = try await RedisServer.start(in: disk.folder)
            let proxy = try await TCPProxy.start(to: server.port)
            disks = [disk]
            all = [RedisChaos(server: server, disk: disk)]
            self.proxy = proxy
            for member in members { locations[member] = "redis://127.0.0.1:\(proxy.port)" }
        case .sqlite:
            for member in members {
                let disk = try Disk("\(folder)/disk-\(member)")
                let storage = try SQLiteChaos(of: member, disk: disk)
                disks.append(disk)
                all.append(storage)
                locations[member] = "sqlite:" + storage.file
            }
        }
    }

    func location(of member: String) -> String { locations[member] ?? "memory" }
}
