import ArgumentParser
import Foundation
import JobReactor
import JobReactorTesting
import JobReactorWire

/// One honest application and its node at a distributor, alone and among those who would keep them out.
struct CrowdCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "crowd", abstract: "Compare an application's rate alone and in a hostile crowd.",
        discussion: """
            A distributor with users and --max-memory, a node, and an application that has a number of jobs under way at a \
            time. Its rate is taken alone, in the crowd, and alone again. Of each kind there is about the same number of \
            clients. They would have machines of their own; here they use the same processors. So each rate is also taken by \
            the processor time that the others leave to distributor, node and application (what these use, and what nobody \
            does): what the crowd makes the distributor do counts, what the crowd does itself does not. The greater share is \
            judged, as whatever else the machine does in one part alone distorts them in different ways. The kinds:

            \(HostileClient.allCases.map(\.rawValue).joined(separator: ", ")).

            At the end the outcome of every job of the application has come once, no more has waited at the distributor than \
            it may, and the rate in the crowd was at least half of that alone.
            """)

    @Option(help: "Hostile clients.") var clients = 50
    @Option(help: "Kinds of clients, of those above; all when it is not said.") var kinds: [HostileClient] = []
    // Not the names of options of the whole program, which would take them.
    @Option(name: .customLong("part"), help: "Seconds of each of the three parts.") var seconds = 10.0
    @Option(help: "Jobs of the application that are under way at once.") var underway = 256
    @Option(help: "The distributor's --max-memory, in MiB.") var maxMemory = 256
    @Option(help: "MiB that the distributor's process may take at most; 0 for any.") var mostResident = 0
    @Option(help: "The least share of the rate alone that is good.") var share = 0.5
    @Option(help: "How often it may be tried: what else the machine does may fall into one part alone.") var tries = 1

    private static let password = "open sesame"

    func run() async throws {
        for left in (0..<max(1, tries)).reversed() {
            if try await isServed() { return print("the application was served, and lost nothing") }
            if left > 0 { print("once more") }
        }
        throw ExitCode.failure
    }

    private func isServed() async throws -> Bool {
        let programs = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().path
        let folder = FileManager.default.temporaryDirectory.appending(path: "jobreactor-crowd-\(UUID().uuidString)")
            .path
        try FileManager.default.createDirectory(atPath: folder + "/jobs", withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try "job('work', function(args) args.done = true end)\n"
            .write(toFile: folder + "/jobs/jobs.lua", atomically: true, encoding: .utf8)
        let users = folder + "/users"
        for (name, options) in [
            ("app", ["--role", "producer"]), ("eye", ["--role", "viewer"]), ("n1", ["--role", "node"]),
            (HostileClient.user, ["--role", "producer,viewer"]),
            (HostileClient.node, ["--role", "node", "--nodes", "liar-*"]),
        ] {
            _ = try await Programs.output(
                programs + "/jobreactor", ["user", "add", name, "--users", users] + options, input: Self.password + "\n"
            )
        }
        let port = try RedisServer.freePort()
        let passwordFile = folder + "/password"
        try (Self.password + "\n").write(toFile: passwordFile, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: passwordFile)
        let distributor = try Member(
            "distributor", programs + "/jobreactor",
            ["distributor", "--listen", "127.0.0.1:\(port)", "--max-memory", "\(maxMemory)M", "--users", users],
            folder: folder)
        let node = try Member(
            "node", programs + "/jobreactor",
            [
                "node", "--name", "n1", "--distributor", "127.0.0.1:\(port)", "--jobs", folder + "/jobs", "--user",
                "n1",
                "--password-file", passwordFile,
            ], folder: folder)
        let crowd = try Member(
            "crowd", "/usr/bin/nice",
            [
                "-n", "10", programs + "/JobReactorChaos", "crowd-clients", "--port", "\(port)", "--clients",
                "\(clients)",
                "--password", Self.password,
            ] + kinds.flatMap { ["--kinds", $0.rawValue] }, folder: folder)
        try distributor.start()
        try node.start()
        let result: Result<Bool, any Error>
        do { result = .success(try await judge(port, distributor, node, crowd)) } catch { result = .failure(error) }
        for member in [crowd, node, distributor] { await member.kill() }
        return try result.get()
    }

    private func judge(_ port: Int, _ distributor: Member, _ node: Member, _ crowd: Member) async throws -> Bool {
        let application = try await HonestApplication.connect(port, Self.password, underway: underway)
        try await application.isServed()
        let watch = MemoryWatch(port, Self.password, distributor)
        try await watch.hasLooked()
        let honest = Array(distributor.processes) + Array(node.processes) + [getpid()]
        _ = try await application.rate(over: min(2, seconds), of: honest)
        let before = try await application.rate(over: seconds, of: honest)
        try crowd.start()
        // They come, and fill what they can.
        try await Task.sleep(for: .seconds(seconds / 2))
        let among = try await application.rate(over: seconds, of: honest)
        let worst = await watch.end()
        await crowd.kill()
        let after = try await application.rate(over: seconds, of: honest)
        let lost = try await application.finish()
        let byTimeLeft = among.byTimeLeft / ((before.byTimeLeft + after.byTimeLeft) / 2)
        let bySecond = among.bySecond / ((before.bySecond + after.bySecond) / 2)
        print(
            """
            alone before  \(before)
            in the crowd  \(among)
            alone after   \(after)
            share         \(String(format: "%.2f", byTimeLeft)) by time left, \(String(format: "%.2f", bySecond)) by second \
            (at least \(share))
            waiting       \(worst.waiting) bytes at most, of \(maxMemory << 20)
            resident      \(worst.resident >> 20) MiB at most
            lost          \(lost)
            """)
        let isSmall = worst.waiting > 0 && worst.waiting <= maxMemory << 20
        return max(byTimeLeft, bySecond) >= share && lost == 0 && isSmall
            && (mostResident == 0 || worst.resident >> 20 <= mostResident)
            && distributor.surprises.isEmpty
    }
}

extension HostileClient: ExpressibleByArgument {}

/// The hostile clients, each on a thread of its own.
struct CrowdClientsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "crowd-clients", shouldDisplay: false)

    @Option var port: Int
    @Option var clients: Int
    @Option var password: String
    @Option var kinds: [HostileClient] = []

    func run() {
        let (port, password) = (port, password)
        let kinds = kinds.isEmpty ? HostileClient.allCases : kinds
        for number in 0..<clients {
            let kind = kinds[number % kinds.count]
            let thread = Thread { kind.run(port: port, password: password, number: number) { false } }
            thread.stackSize = 1 << 20
            thread.start()
        }
        // Until it is ended.
        while true { Thread.sleep(forTimeInterval: 3600) }
    }
}

/// Has a number of jobs under way, and counts their outcomes.
final class HonestApplication: Sendable {
    private struct State {
        var sent = 0
        var came = 0
        var isOver = false
    }

    private let client: JobClient
    private let state = Guarded(State())

    private init(_ client: JobClient) { self.client = client }

    static func connect(_ port: Int, _ password: String, underway: Int) async throws -> HonestApplication {
        for _ in 0..<300 {
            let security = WireSecurity(password: Password(password), user: "app")
            if let client = try? await JobClient.connect(to: Address(host: "127.0.0.1", port: port), security: security)
            {
                let application = HonestApplication(client)
                for _ in 0..<underway { application.send() }
                return application
            }
            try await Task.sleep(for: .milliseconds(200))
        }
        throw ValidationError("the distributor does not come up: see its log")
    }

    private func send() {
        let isOver = state.withLock { state in
            if !state.isOver { state.sent += 1 }
            return state.isOver
        }
        guard !isOver else { return }
        let came: @Sendable () -> Void = { [weak self] in
            self?.state.withLock { $0.came += 1 }
            self?.send()
        }
        do {
            try client.enqueue(
                "work", ["text": "an honest job"], JobOptions(),
                feedback: JobFeedback(onSuccess: { _ in came() }, onError: { _ in came() }))
        } catch {
            state.withLock { $0.sent -= 1 }
        }
    }

    /// Waits until the first outcome has come: where a machine has much else to do its node takes a while to be there.
    func isServed() async throws {
        for _ in 0..<3000 where state.withLock({ $0.came }) == 0 { try await Task.sleep(for: .milliseconds(100)) }
    }

    /// Outcomes that came within some time.
    struct Rate: CustomStringConvertible {
        let outcomes: Int
        let seconds: Double
        /// The processor time that was there for those who bring them about, in seconds: see ``ProcessorTime``.
        let timeLeft: Double

        var bySecond: Double { Double(outcomes) / seconds }
        var byTimeLeft: Double { Double(outcomes) / max(timeLeft, 0.01) }

        var description: String {
            let processors = String(format: "%.2f", timeLeft / seconds)
            return "\(Int(bySecond)) jobs/s, \(Int(byTimeLeft)) by second of the \(processors) processors left"
        }
    }

    func rate(over seconds: Double, of processes: [Int32]) async throws -> Rate {
        let (clock, before) = (ContinuousClock(), state.withLock { $0.came })
        let (begin, timeBefore) = (clock.now, try ProcessorTime.now(of: processes))
        try await Task.sleep(for: .seconds(seconds))
        let timeAfter = try ProcessorTime.now(of: processes)
        return Rate(
            outcomes: state.withLock { $0.came } - before, seconds: (clock.now - begin) / .seconds(1),
            timeLeft: ProcessorTime.available(from: timeBefore, to: timeAfter))
    }

    /// Sends no more, and waits for what is under way. Returns how many outcomes are missing, or came too often.
    func finish() async throws -> Int {
        state.withLock { $0.isOver = true }
        for _ in 0..<600 {
            let left = state.withLock { $0.sent - $0.came }
            if left == 0 { break }
            try await Task.sleep(for: .milliseconds(100))
        }
        await client.stop()
        return state.withLock { abs($0.sent - $0.came) }
    }
}

/// Asks a distributor again and again what waits there.
private struct MemoryWatch {
    struct Most: Sendable {
        var waiting = 0
        var resident = 0
    }

    private let task: Task<Most, Never>
    private let looks = Guarded(0)

    /// Waits until it has looked once.
    func hasLooked() async throws {
        for _ in 0..<3000 where looks.withLock({ $0 }) == 0 { try await Task.sleep(for: .milliseconds(100)) }
    }

    init(_ port: Int, _ password: String, _ distributor: Member) {
        task = Task { [looks] in
            var most = Most()
            var client: RESPClient?
            while !Task.isCancelled {
                if client == nil {
                    client = try? await RESPClient.connect(
                        to: Address(host: "127.0.0.1", port: port),
                        security: WireSecurity(password: Password(password), user: "eye"))
                }
                let info = try? await client?.send(["INFO", "memory"])
                if info == nil { client = nil } else { looks.withLock { $0 += 1 } }
                most.waiting = max(most.waiting, Self.waiting(info?.text ?? ""))
                most.resident = max(most.resident, Self.resident(distributor))
                try? await Task.sleep(for: .milliseconds(200))
            }
            return most
        }
    }

    func end() async -> Most {
        task.cancel()
        return await task.value
    }

    private static func waiting(_ info: String) -> Int {
        let line = info.split(separator: "\r\n").first { $0.hasPrefix("waiting_bytes:") }
        return line.flatMap { Int($0.dropFirst("waiting_bytes:".count)) } ?? 0
    }

    private static func resident(_ member: Member) -> Int {
        let sizes = member.processes.map { process in
            let text = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
            let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
            return (Int(line.filter(\.isNumber)) ?? 0) << 10
        }
        return sizes.max() ?? 0
    }
}
