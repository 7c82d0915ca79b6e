import Hummingbird
import JobReactor
import Logging
import ServiceLifecycle

/// A web server that gives its heavy work to background jobs.
///
///     WebApplication FOLDER [HTTP-PORT [DISTRIBUTOR-PORT]]
@main
struct WebApplication {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        guard let folder = arguments.first.flatMap(SharedFolder.init) else {
            fatalUsage("usage: WebApplication FOLDER [HTTP-PORT [DISTRIBUTOR-PORT]]; FOLDER must be there")
        }
        let ports = arguments.dropFirst().map { UInt16($0) }
        guard !ports.contains(nil) else { fatalUsage("a port is a number up to 65535") }
        let httpPort = ports.first.flatMap(\.self).map(Int.init) ?? 8080
        let distributorPort = ports.dropFirst().first.flatMap(\.self).map(Int.init) ?? 5000

        let logger = Logger(label: "web")
        let distributor = Distributor(DistributorConfiguration(host: "localhost", port: distributorPort))
        let server = Application(
            router: makeRouter(distributor: distributor, folder: folder),
            configuration: .init(address: .hostname("127.0.0.1", port: httpPort)),
            logger: logger)

        // Services stop in the opposite order: first the web server, which answers the requests it still has, then the
        // distributor, whose jobs those answers wait for.
        let services = ServiceGroup(
            services: [distributor, server], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        try await services.run()
    }

    /// The jobs that strangers may enqueue with args of their own. Others read whatever file the args name.
    static let openJobs: Set = ["my_job", "countdown"]

    static func makeRouter(distributor: Distributor, folder: SharedFolder) -> Router<BasicRequestContext> {
        let router = Router()

        // GET /statistics?path=README.md: enqueues and answers when the feedback arrives. No thread waits meanwhile.
        router.get("statistics") { request, _ -> Response in
            guard let path = request.uri.queryParameters["path"].map({ String($0) }) else {
                throw HTTPError(.badRequest, message: "say which file: /statistics?path=README.md")
            }
            guard let file = folder.file(at: path) else {
                throw HTTPError(.notFound, message: "there is no file \(path)")
            }
            let result = try await Answer.orHTTPError {
                try await distributor.perform("text_statistics", ["path": .string(file)], JobOptions(), timeout: 30)
            }
            return .json(result.args)
        }

        // POST /jobs/my_job with a JSON object: enqueues, and answers at once with the job's id.
        router.post("jobs/:name") { request, context -> Response in
            let name = try context.parameters.require("name")
            guard openJobs.contains(name) else {
                throw HTTPError(.notFound, message: "no job \(name) is open to the web")
            }
            let body = try await request.body.collect(upTo: 1 << 20)
            let id = try await Answer.orHTTPError {
                let args = try body.readableBytes == 0 ? [:] : JobArguments(json: Array(body.readableBytesView))
                return try distributor.enqueue(
                    name, args,
                    onSuccess: { context.logger.info("job \($0.id) \(name) is done: \($0.args)") },
                    onError: { context.logger.warning("job \($0.id) \(name) failed: \($0.message)") })
            }
            return .json(["id": .string(id.description)], status: .accepted)
        }

        return router
    }
}
