internal import AsyncHTTPClient
internal import JobReactorLua
internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import NIOSSL

/// One request of a script with all its redirects, up to the last byte of the answer.
struct HTTPExchange: Sendable {
    private let plan: HTTPRequestPlan
    private let client: HTTPClient
    private let turns: TurnsByKey
    private let work: TimedWork

    /// Starts it; `done` is called once when all is over, with the status, the URL that answered, packed names and values
    /// of the headers, the body, nil where it is in a file, and its number of bytes. Returns what ends the request.
    static func start(
        _ plan: HTTPRequestPlan, over client: HTTPClient, _ turns: TurnsByKey, done: @escaping ScriptFunction.Done
    ) -> @Sendable () -> Void {
        let work = TimedWork(seconds: plan.timeout) { work in
            done(await HTTPExchange(plan: plan, client: client, turns: turns, work: work).run())
        }
        return { work.cancel() }
    }

    private func run() async -> Result<[ScriptValue], ScriptFailure> {
        var hop = plan.hop
        do {
            var followed = 0
            while true {
                let answer = try await turns.take(hop.origin) { try await ask(hop) }
                switch answer {
                case .values(let values): return .success(values)
                case .redirect(let next):
                    guard followed < plan.redirects else { throw HTTPFailure.tooManyRedirects(plan.redirects) }
                    followed += 1
                    hop = next
                }
            }
        } catch {
            return .failure(HTTPFailure.describe(work.hasTimedOut ? HTTPFailure.timedOut(plan.timeout) : error, hop))
        }
    }

    private enum Answer {
        case values([ScriptValue])
        case redirect(HTTPHop)
    }

    /// Its connection is in use until the answer is read.
    private func ask(_ hop: HTTPHop) async throws -> Answer {
        let response = try await client.execute(request(hop), deadline: .distantFuture)
        let location = response.headers.first(name: "Location")
        if plan.redirects > 0, let next = try hop.next(status: response.status.code, location: location) {
            return .redirect(next)
        }
        return .values(try await values(response, of: hop))
    }

    private func request(_ hop: HTTPHop) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: hop.url)
        request.method = HTTPMethod(rawValue: hop.method)
        request.headers = hop.headers
        if let body = hop.body { request.body = .bytes(ByteBuffer(bytes: body)) }
        if plan.isInsecure {
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.certificateVerification = .none
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
        if let limit = plan.maximumBytes, hop.method != "HEAD",
            let announced = response.headers.first(name: "Content-Length").flatMap({ Int($0) }), announced > limit
        {
            throw HTTPFailure.tooLarge(limit)
        }
        if let file = plan.file {
            return head + [.nil, .integer(Int64(try await save(response.body, to: file)))]
        }
        var body: [UInt8] = []
        try await read(response.body) { body.append(contentsOf: $0.readableBytesView) }
        return head + [.string(body), .integer(Int64(body.count))]
    }

    /// The number of bytes.
    private func save(_ body: HTTPClientResponse.Body, to path: String) async throws -> Int {
        let download = try await Download.create(path)
        do {
            let count = try await read(body) { try await download.write($0) }
            try await download.finish()
            return count
        } catch {
            await download.discard()
            throw error
        }
    }

    @discardableResult
    private func read(
        _ body: HTTPClientResponse.Body, _ take: (ByteBuffer) async throws -> Void
    ) async throws -> Int {
        var count = 0
        for try await part in body {
            count += part.readableBytes
            if let limit = plan.maximumBytes, count > limit { throw HTTPFailure.tooLarge(limit) }
            try await take(part)
        }
        // A body whose reader was cancelled ends as if it were whole.
        try Task.checkCancellation()
        return count
    }
}
