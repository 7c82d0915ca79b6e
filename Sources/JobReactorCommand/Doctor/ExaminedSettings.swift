internal import JobReactorRedis
internal import JobReactorWire

/// The settings of a server, or of a node and a distributor, that the doctor looks at.
struct ExaminedSettings {
    let isNode: Bool
    /// Where it listens, with the flag that says so.
    let ports: [(flag: String, address: Address)]
    let connectTo: Address?
    let distributors: [Address]
    let storage: StorageLocation
    let redisURL: RedisLocation
    /// Whose jobs an SQLite file has, as the file names it; nil where nobody says it.
    let owner: String?
    let certificate: String?
    let authority: String?
    let users: String?
    let isInsecure: Bool
    let maxConnections: Int
    let jobDirectory: String
    let memoryLimit: Int?
    let sandbox: SandboxMode

    /// They are those of a distributor where they say what only that has, and those of a node where they say what only that
    /// has, or neither.
    init(_ command: DoctorCommand, _ settings: Settings) throws(CommandFailure) {
        func flags(_ flag: String?) -> [String] { flag.map { [$0] } ?? [] }
        let listen = try settings.given(\.listen, flags: flags(command.listen))
        let distributorName = try settings.given(\.distributorName, flags: flags(command.distributorName))?.value
        let isDistributor = listen != nil || distributorName != nil
        let name = try settings.given(\.name, flags: flags(command.name))?.value
        let server = try settings.value(\.server, flag: command.server)
        let distributors = try settings.given(\.distributor, flags: command.distributor)
        let directory = try settings.given(\.jobDirectory, flags: flags(command.jobDirectory))
        isNode = name != nil || server != nil || distributors != nil || directory != nil || !isDistributor
        let listening = isDistributor ? try settings.value(\.listen, flag: command.listen) : nil
        ports = [("--listen", listening), ("--server", server)].compactMap { flag, address in
            address.map { (flag, $0) }
        }
        connectTo = try settings.value(\.connectTo, flag: command.connectTo)
        self.distributors = isNode ? try settings.value(\.distributor, flags: command.distributor) : []
        storage = try settings.value(\.storage, flag: command.storage)
        redisURL = try settings.value(\.redisURL, flag: command.redisURL)
        switch (name, distributorName) {
        case (let name?, nil): owner = "node:\(name)"
        case (nil, let name?): owner = "distributor:\(name)"
        case (nil, nil), (_?, _?): owner = nil
        }
        certificate = try settings.value(\.tlsCertificate, flag: command.security.tlsCertificate)
        authority = try settings.value(\.tlsAuthority, flag: command.security.tlsAuthority)
        users = try settings.value(\.users, flag: command.users)
        isInsecure = try settings.value(\.insecure, flag: command.insecure)
        maxConnections = try settings.value(\.maxConnections, flag: command.maxConnections)
        jobDirectory = try settings.value(\.jobDirectory, flag: command.jobDirectory)
        memoryLimit = try settings.value(\.memoryLimit, flag: command.memoryLimit)
        sandbox = try settings.value(\.sandbox, flag: command.sandbox)
    }
}
