internal import AsyncHTTPClient
internal import JobReactorLua
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPCompression
internal import NIOSSL

/// One request of a script with all its redirects, up to the last byte of the answer.
struct HTTPExchange: Sendable {
    /// What all requests have in common.
    struct Environment: Sendable {
        let client: HTTPClient
        let turns: TurnsByKey
        /// Seconds that a request waits for its turn.
        let wait: Double
        let hosts: AllowedHosts
        let certificates: CertificateFiles
        /// Whom to trust where the script does not say; nil for whom the system trusts.
        let authority: String?
    }

    private let plan: HTTPRequestPlan
    private let environment: Environment
    private let work: TimedWork

    /// Starts it; `done` is called once when all is over, with the status, the URL that answered, packed names and values
    /// of the headers, the body, nil where it is in a file, and its number of bytes. Returns what ends the request.
    static func start(
        _ plan: HTTPRequestPlan, in environment: Environment, done: @escaping ScriptFunction.Done
    ) -> @Sendable () -> Void {
        let work = TimedWork(seconds: plan.timeout) { work in
            done(await HTTPExchange(plan: plan, environment: environment, work: work).run())
        }
        return { work.cancel() }
    }

    private func run() async -> Result<[ScriptValue], ScriptFailure> {
        var hop = plan.hop
        do {
            var followed = 0
            while true {
                switch try await askInTurn(hop, isFirst: followed == 0) {
                case .values(let values): return .success(values)
                case .redirect(let next):
                    guard followed < plan.redirects else { throw HTTPFailure.tooManyRedirects(plan.redirects) }
                    followed += 1
                    hop = next
                    if let address = hop.address {
                        try environment.hosts.check(address.server, port: address.port, for: "http: a redirect")
                    }
                }
            }
        } catch let failure as ScriptFailure {
            return .failure(failure)
        } catch {
            return .failure(HTTPFailure.describe(work.hasTimedOut ? HTTPFailure.timedOut(plan.timeout) : error, hop))
        }
    }

    private enum Answer {
        case values([ScriptValue])
        case redirect(HTTPHop)
    }

    /// When it is the request's turn; from the first on its time counts. Of a connection that was closed while nobody used it,
    /// the server knows nothing of the request: that goes again, once.
    private func askInTurn(_ hop: HTTPHop, isFirst: Bool) async throws -> Answer {
        do {
            return try await environment.turns.take(hop.origin, within: environment.wait) {
                if isFirst { work.begin() }
                do {
                    return try await ask(hop)
                } catch HTTPFailure.stale {
                    return try await ask(hop)
                }
            }
        } catch is Turns.TooLate {
            throw HTTPFailure.noTurn(seconds: environment.wait)
        }
    }

    /// Its connection is in use until the answer is read.
    private func ask(_ hop: HTTPHop) async throws -> Answer {
        let response: HTTPClientResponse
        do {
            response = try await environment.client.execute(try await request(hop), deadline: .distantFuture)
        } catch {
            throw HTTPFailure.isOfUnsent(error) ? HTTPFailure.stale : error
        }
        let location = response.headers.first(name: "Location")
        if plan.redirects > 0, let next = try hop.next(status: response.status.code, location: location) {
            return .redirect(next)
        }
        return .values(try await values(response, of: hop))
    }

    private func request(_ hop: HTTPHop) async throws -> HTTPClientRequest {
        var request = HTTPClientRequest(url: hop.url)
        request.method = HTTPMethod(rawValue: hop.method)
        request.headers = hop.headers
        if let body = hop.body { request.body = .bytes(ByteBuffer(bytes: body)) }
        guard hop.address?.scheme == "https" else { return request }
        var tls = TLSConfiguration.makeClientConfiguration()
        if plan.isInsecure {
            tls.certificateVerification = .none
            request.tlsConfiguration = tls
        } else if let authority = plan.authority ?? environment.authority {
            try await environment.certificates.check(authority)
            tls.trustRoots = .file(authority)
            request.tlsConfiguration = tls
        }
        return request
    }

    private func values(_ response: HTTPClientResponse, of hop: HTTPHop) async throws -> [ScriptValue] {
        var headers = PackedStrings()
        for (name, value) in response.headers {
            headers.append(name.lowercased().utf8)
            headers.append(value.utf8)
        }
        let head: [ScriptValue] = [
            .integer(Int64(response.status.code)), .string(hop.url), .string(headers.bytes),
        ]
        // What the server says of an error is for the script to read, and no file that anybody asked for.
        let file = plan.savesAnyStatus || (200..<300).contains(response.status.code) ? plan.file : nil
        let limit = plan.maximumBytes ?? (file == nil ? HTTPRequestPlan.usualBytes : .max)
        let isBodiless = hop.method == "HEAD" || response.status == .noContent || response.status == .notModified
        if !isBodiless, let announced = response.headers.first(name: "Content-Length").flatMap({ Int($0) }),
            announced > limit
        {
            throw HTTPFailure.tooLarge(limit)
        }
        if let file { return head + [.nil, .integer(Int64(try await save(response.body, limit, to: file)))] }
        var body: [UInt8] = []
        do {
            try await read(response.body, limit) { body.append(contentsOf: $0.readableBytesView) }
        } catch is NIOHTTPDecompression.ExtraDecompressionError where isBodiless {
            // A body that is not there was announced to be compressed.
        }
        return head + [.string(body), .integer(Int64(body.count))]
    }

    /// The number of bytes.
    private func save(_ body: HTTPClientResponse.Body, _ limit: Int, to path: String) async throws -> Int {
        let download = try await Download.create(path)
        do {
            let count = try await read(body, limit) { try await download.write($0) }
            try await download.finish()
            return count
        } catch {
            await download.discard()
            throw error
        }
    }

    @discardableResult
    private func read(
        _ body: HTTPClientResponse.Body, _ limit: Int, _ take: (ByteBuffer) async throws -> Void
    ) async throws -> Int {
        var count = 0
        for try await part in body {
            count += part.readableBytes
            if count > limit { throw HTTPFailure.tooLarge(limit) }
            try await take(part)
        }
        // A body whose reader was cancelled ends as if it were whole.
        try Task.checkCancellation()
        return count
    }
}
