internal import JobReactorWire
internal import NIOCore
internal import NIOHTTP1

/// What somebody asks for at an HTTP port.
struct HTTPQuestion: Sendable {
    var method: HTTPMethod
    /// Without the query.
    var path: String
    /// Behind the first `?`; empty without one.
    var query = ""
    var headers: HTTPHeaders = [:]
    var body = ByteBuffer()
    var peer: PeerNetwork
    /// `host:port` of the peer, for logs.
    var address = ""
    /// It comes from this machine.
    var isLocal = false

    /// The header `Authorization`.
    var authorization: String? { headers.first(name: "Authorization") }
}

/// What is said to it.
struct HTTPAnswer: Sendable {
    var status: HTTPResponseStatus
    var body: ByteBuffer
    var headers: HTTPHeaders
    /// Called when the status and the headers have gone: what it says then is the body, until it ends that.
    var stream: (@Sendable (HTTPStream) -> Void)?

    /// The headers say what the body is.
    init(_ status: HTTPResponseStatus, _ body: ByteBuffer, headers: HTTPHeaders) {
        self.status = status
        self.body = body
        self.headers = headers
    }

    init(_ status: HTTPResponseStatus, _ body: ByteBuffer, type: String, headers: HTTPHeaders = [:]) {
        self.init(status, body, headers: headers)
        self.headers.add(name: "Content-Type", value: type)
    }

    /// One line or several, for people. Without lines it is the status in words.
    static func text(_ status: HTTPResponseStatus, _ lines: [String] = [], headers: HTTPHeaders = [:]) -> HTTPAnswer {
        let lines = lines.isEmpty ? ["\(status.code) \(status.reasonPhrase)"] : lines
        let text = lines.map { $0 + "\n" }.joined()
        return HTTPAnswer(status, ByteBuffer(string: text), type: "text/plain; charset=utf-8", headers: headers)
    }
}
