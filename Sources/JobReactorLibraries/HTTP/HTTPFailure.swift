internal import AsyncHTTPClient
internal import JobReactorCore
internal import JobReactorLua
internal import JobReactorWire
internal import NIOCore
internal import NIOHTTP1
internal import NIOHTTPCompression
internal import NIOPosix
internal import NIOSSL

/// Why a request came to nothing.
enum HTTPFailure: Error {
    /// Seconds.
    case timedOut(Double)
    /// Bytes.
    case tooLarge(Int)
    case tooManyRedirects(Int)
    /// To a URL that is none, and why it is none.
    case badRedirect(String, String)
    /// Of an answer that is none.
    case badStatus(UInt)
    /// Of a body that nobody could read.
    case badTransferCoding(String)
    /// A connection that was used before, before a byte of the answer came.
    case stale
    /// The connection, before the answer was complete.
    case closed
    case noTurn(seconds: Double)
    case file(String)

    /// Whether an error that came in place of an answer's head says that the connection was closed before the request was written.
    /// When it was written, ``AnswerGuard`` says what has become of it.
    static func isOfUnsent(_ error: any Error) -> Bool {
        (error as? ChannelError) == .ioOnClosedChannel || (error as? HTTPClientError) == .remoteConnectionClosed
    }

    /// In one sentence that names the server and what to look at.
    static func describe(_ error: any Error, _ hop: HTTPHop) -> ScriptFailure {
        let host = hop.host
        return ScriptFailure("http: " + (own(error, host) ?? connection(error, host) ?? client(error, hop)))
    }

    private static func own(_ error: any Error, _ host: String) -> String? {
        switch error {
        case HTTPFailure.timedOut(let seconds):
            "\(host) gave no complete answer within \(TimedWork.words(seconds)): check that it is up, or give it more time"
                + " with timeout = seconds"
        case HTTPFailure.tooLarge(let limit):
            "the body that \(host) sends is larger than the limit of \(limit) bytes: raise it with max_bytes = bytes, or"
                + " save the body with file = path"
        case HTTPFailure.tooManyRedirects(let count):
            "\(host) redirects more than \(count) times: check the URL, or raise the limit with redirects = count"
        case HTTPFailure.badRedirect(let url, let reason):
            "\(host) redirects to '\(url.prefix(200))', which is no URL (\(reason)): look at that server, or take its answer as"
                + " it is with redirects = 0"
        case HTTPFailure.badStatus(let status):
            "\(host) answers with the status \(status), which is none: look at what runs there"
        case HTTPFailure.badTransferCoding(let coding):
            "\(host) answers with the Transfer-Encoding '\(coding.prefix(200))', which nobody asked for and which makes the body"
                + " unreadable: look at that server"
        case HTTPFailure.noTurn(let seconds):
            "as many requests to \(host) are under way as may be at once, and none had ended after \(TimedWork.words(seconds)):"
                + " allow more with \(SettingName.httpConnections), or a longer wait with \(SettingName.httpWait)"
        case HTTPFailure.stale, HTTPFailure.closed: closed(host)
        case HTTPFailure.file(let problem): problem
        case is CancellationError: "the request to \(host) was ended: the job was cancelled"
        default: nil
        }
    }

    private static func closed(_ host: String) -> String {
        "\(host) closed the connection before its answer was complete: try again, and look at the log of that server"
    }

    private static func connection(_ error: any Error, _ host: String) -> String? {
        switch error {
        case let error as NIOConnectionError where error.connectionErrors.isEmpty:
            "no such host: \(error.host): check the name in the URL, and that this machine can look names up"
        case is NIOConnectionError, is IOError, is ChannelError:
            "cannot connect to \(host): \(Transport.describe(error)): check that a server runs there and that the port is"
                + " right"
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
            "no TLS connection to \(host): \(Transport.describe(error)): check that it speaks TLS and that its certificate"
                + " is good; insecure = true takes any"
        case is HTTPParserError:
            "\(host) sent no complete answer of HTTP, or ended it half way: try again, and look at the log of that server"
        case NIOHTTPDecompression.DecompressionError.limit:
            "the compressed body that \(host) sends would grow more than \(HTTPLibrary.largestRatio) times: ask for it"
                + " uncompressed with headers = { ['accept-encoding'] = 'identity' }"
        case is NIOHTTPDecompression.DecompressionError, is NIOHTTPDecompression.ExtraDecompressionError:
            "the compressed body that \(host) sends is damaged: try again, and look at that server"
        default: nil
        }
    }

    private static func client(_ error: any Error, _ hop: HTTPHop) -> String {
        switch error as? HTTPClientError {
        case .connectTimeout?, .tlsHandshakeTimeout?:
            "cannot connect to \(hop.host): no answer in time: check that a server runs there and that no firewall is"
                + " between"
        case .remoteConnectionClosed?, .uncleanShutdown?: closed(hop.host)
        case .invalidURL?, .emptyHost?, .emptyScheme?: "'\(hop.url)' is no URL: write http://host/path"
        case .alreadyShutdown?: "no requests any more: this process is stopping"
        case .cancelled?: "the request to \(hop.host) was ended: the job was cancelled"
        case let error?: "the request to \(hop.host) failed: \(error.shortDescription.lowercased())"
        case nil: "the request to \(hop.host) failed: \(Transport.describe(error))"
        }
    }
}
