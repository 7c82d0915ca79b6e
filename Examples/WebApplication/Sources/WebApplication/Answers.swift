import Foundation
import Hummingbird
import JobReactor

extension Response {
    /// Args are JSON already; their bytes go out as they are.
    static func json(_ args: JobArguments, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: args.bytes)))
    }
}

enum Answer {
    /// Does the work and says in HTTP's words what went wrong, if something did.
    static func orHTTPError<Value>(_ work: () async throws -> Value) async throws -> Value {
        do {
            return try await work()
        } catch let error as JSONError {
            throw HTTPError(.badRequest, message: "the body must be one JSON object: \(error)")
        } catch let failure as JobFailure {
            throw HTTPError(.internalServerError, message: failure.message)
        } catch let error as JobError {
            switch error.code {
            case .invalidName, .invalidArguments, .invalidOption: throw HTTPError(.badRequest, message: error.message)
            case .timedOut: throw HTTPError(.gatewayTimeout, message: error.message)
            default: throw HTTPError(.serviceUnavailable, message: error.message)
            }
        }
    }
}

/// Says what is wrong with the command line and ends the program.
func fatalUsage(_ text: String) -> Never {
    FileHandle.standardError.write(Data("WebApplication: \(text)\n".utf8))
    exit(64)
}
