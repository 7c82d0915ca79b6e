internal import JobReactorWire
internal import NIOCore
internal import NIOHTTP1

/// What somebody asks for at an HTTP port.
struct HTTPQuestion: Sendable {
    var method: HTTPMethod
    /// Without the query.
    var path: String
    /// The header `Authorization`.
    var authorization: String?
    var peer: PeerNetwork
}

/// What is said to it.
struct HTTPAnswer: Sendable {
    var status: HTTPResponseStatus
    var body: ByteBuffer
    var headers: HTTPHeaders

    init(_ status: HTTPResponseStatus, _ body: ByteBuffer, type: String, headers: HTTPHeaders = [:]) {
        self.status = status
        self.body = body
        self.headers = headers
        self.headers.add(name: "Content-Type", value: type)
    }

    /// One line or several, for people. Without lines it is the status in words.
    static func text(_ status: HTTPResponseStatus, _ lines: [String] = [], headers: HTTPHeaders = [:]) -> HTTPAnswer {
        let lines = lines.isEmpty ? ["\(status.code) \(status.reasonPhrase)"] : lines
        let text = lines.map { $0 + "\n" }.joined()
        return HTTPAnswer(status, ByteBuffer(string: text), type: "text/plain; charset=utf-8", headers: headers)
    }
}
