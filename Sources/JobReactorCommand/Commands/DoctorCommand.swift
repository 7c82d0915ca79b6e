internal import ArgumentParser
private import JobReactorCore
private import JobReactorRedis
private import JobReactorWire
private import Logging

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check the settings and the environment of a node or a distributor.",
        usage: "jobreactor doctor [--config <file>] [--json] [<options>]",
        discussion: """
            Give it the settings of the server, as flags, variables or a config file, and run it as the same user on the \
            same machine, before the server starts or while it runs. It checks ports, names, passwords, roles, certificates, \
            distributors with their releases and clocks, the storage and its disk, limits of the system, and job scripts. It \
            prints one line for each finding: ok, warning or error, and what to do. It changes nothing.

            The exit code is 1 when there is an error.
            """)

    @Option(\.name) var name: String?
    @Option(\.distributorName) var distributorName: String?
    @Option(\.listen) var listen: String?
    @Option(\.server) var server: String?
    @Option(\.connectTo) var connectTo: String?
    @Option(\.distributor) var distributor: [String] = []
    @Option(\.storage) var storage: String?
    @Option(\.redisURL) var redisURL: String?
    @Option(\.jobDirectory) var jobDirectory: String?
    @Option(\.memoryLimit) var memoryLimit: String?
    @Option(\.sandbox) var sandbox: String?
    @Option(\.maxConnections) var maxConnections: String?
    @Flag(\.insecure) var insecure: Bool?
    @Option(\.users) var users: String?
    @Flag(help: "Print a JSON object.") var json = false
    @OptionGroup var security: SecurityOptions
    @OptionGroup var common: CommonOptions

    func run() async throws {
        OpenFiles.raiseLimit()
        let settings = try common.settings()
        // What no server would take for a setting is told as they do, before anything is looked at.
        let examined = try ExaminedSettings(self, settings)
        let logger = try common.logger(settings, level: .error, style: .plain)
        var findings = [MachineCheck.openFiles(OpenFiles.limit, connections: examined.maxConnections)]
        var wire: WireSecurity?
        do throws(CommandFailure) {
            wire = try settings.security(security, listens: !examined.ports.isEmpty)
        } catch { findings.append(.error("password and TLS", error.message ?? "of no use")) }
        if let file = examined.certificate {
            findings += CertificateCheck.findings(file, flag: "--tls-certificate", isChain: true)
        }
        if let file = examined.authority {
            findings += CertificateCheck.findings(file, flag: "--tls-authority", isChain: false)
        }
        if let file = examined.users { findings += UsersCheck.findings(file) }
        if let wire { findings += await network(examined, wire) }
        findings += await kept(examined, wire)
        if examined.isNode {
            findings += await ScriptsCheck.findings(
                examined.jobDirectory, memoryLimit: examined.memoryLimit, sandbox: examined.sandbox, logger: logger)
        }
        try tell(findings)
    }

    private func network(_ examined: ExaminedSettings, _ security: WireSecurity) async -> [Finding] {
        var findings: [Finding] = []
        for port in examined.ports {
            findings += await PortCheck.findings(
                port.address, flag: port.flag, security: security, hasUsers: examined.users != nil,
                isInsecure: examined.isInsecure)
        }
        if let address = examined.connectTo {
            findings.append(await NameCheck.finding(address, flag: "--connect-to"))
        }
        for address in examined.distributors { findings += await PeerCheck.findings(address, security: security) }
        return findings
    }

    private func kept(_ examined: ExaminedSettings, _ security: WireSecurity?) async -> [Finding] {
        switch examined.storage {
        case .memory:
            [
                .good(
                    "--storage memory",
                    "nothing survives a restart: a node returns its jobs to the distributor, a distributor loses its jobs"
                )
            ]
        case .sqlite(let file): await SQLiteCheck.findings(file, owner: examined.owner)
        case .redis(let location):
            await RedisCheck.findings(RedisPlace(location ?? examined.redisURL, tls: security?.tls))
        }
    }

    private func tell(_ findings: [Finding]) throws {
        let isGood = !findings.contains { $0.level == .error }
        if json {
            let members: [String: JSONValue] = ["findings": .array(findings.map(\.json)), "good": .bool(isGood)]
            try Terminal.result(json: JSONValue.object(members).json)
        } else {
            try Terminal.result((findings.map(\.line) + [Finding.summary(findings)]).joined(separator: "\n"))
        }
        if !isGood { throw CommandFailure.told }
    }
}
