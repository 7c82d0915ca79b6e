import Foundation
import JobReactorLua
import NIOHTTP1
import Testing

@testable import JobReactorLibraries

/// `file = path`: a body that goes to a file.
@Suite(.timeLimit(.minutes(5))) struct HTTPFileTests {
    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "jobreactor-http-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    private func files(_ folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? ["no folder"]
    }

    @Test("the file has the whole body, also one beyond the limit of memory, and replaces what was there")
    func whole() async throws {
        let chunk = [UInt8](repeating: 97, count: 1 << 20)
        try await WebServer.with({ _ in WebAnswer(chunks: Array(repeating: chunk, count: 20)) }) { server in
            try await withFolder { folder in
                try Data("old".utf8).write(to: URL(filePath: folder + "/x"))
                let reply = try await Web().request(server.url, file: folder + "/x")
                #expect(reply.body == nil)
                #expect(reply.size == 20 << 20)
                let content = try Data(contentsOf: URL(filePath: folder + "/x"))
                #expect(content.count == 20 << 20 && content.allSatisfy { $0 == 97 })
                #expect(files(folder) == ["x"])
            }
        }
    }

    @Test("of a body that breaks off, or is too large, or takes too long, nothing is left, and what was there stays")
    func notWhole() async throws {
        let answer: @Sendable (WebRequest) -> WebAnswer = { request in
            WebAnswer(
                chunks: [[UInt8](repeating: 97, count: 1000)], end: request.uri == "/slow" ? .silence : .brokenOff)
        }
        try await WebServer.with(answer) { server in
            try await withFolder { folder in
                try Data("old".utf8).write(to: URL(filePath: folder + "/x"))
                let file = folder + "/x"
                for message in [
                    await failure { try await Web().values(server.url, file: file) },
                    await failure { try await Web().values(server.url, maximumBytes: 10, file: file) },
                    await failure { try await Web().values(server.url + "/slow", timeout: 0.2, file: file) },
                ] {
                    #expect(message.hasPrefix("http: "), "\(message)")
                }
                #expect(files(folder) == ["x"])
                #expect(try Data(contentsOf: URL(filePath: file)) == Data("old".utf8))
            }
        }
    }

    @Test("a place that cannot be written is an error that says why, and leaves nothing")
    func noPlace() async throws {
        try await WebServer.with({ _ in .text("x") }) { server in
            try await withFolder { folder in
                #expect(
                    await failure { try await Web().values(server.url, file: folder + "/no/x") }
                        == "http: cannot create a file in \(folder)/no/: no such file or directory")
                try FileManager.default.createDirectory(
                    atPath: folder + "/taken/x", withIntermediateDirectories: true)
                #expect(
                    await failure { try await Web().values(server.url, file: folder + "/taken") }
                        == "http: cannot write \(folder)/taken: is a directory")
                #expect(files(folder) == ["taken"])
                #expect(
                    await failure { try await Web().values(server.url, file: "") } == "http: '' is no path of a file")
            }
        }
    }

    @Test(
        "the body of an answer that is no success comes as such, and what was in the file stays",
        arguments: [404, 500, 302])
    func status(_ status: Int) async throws {
        try await WebServer.with({ _ in .text("gone", status: HTTPResponseStatus(statusCode: status)) }) { server in
            try await withFolder { folder in
                try Data("old".utf8).write(to: URL(filePath: folder + "/x"))
                let reply = try await Web().request(server.url, file: folder + "/x")
                #expect(reply.status == status && reply.body == "gone" && reply.size == 4)
                #expect(try Data(contentsOf: URL(filePath: folder + "/x")) == Data("old".utf8))
                #expect(files(folder) == ["x"])
                let saved = try await Web().request(server.url, file: folder + "/x", savesAnyStatus: true)
                #expect(saved.status == status && saved.body == nil && saved.size == 4)
                #expect(try Data(contentsOf: URL(filePath: folder + "/x")) == Data("gone".utf8))
            }
        }
    }

    @Test("scripts in a sandbox write no files, and make other requests")
    func sandbox() async throws {
        try await WebServer.with({ _ in .text("x") }) { server in
            let web = Web(isSandboxed: true)
            #expect(
                await failure { try await web.values(server.url, file: "/tmp/x") }
                    == "http: the scripts of this node run in a sandbox: they may write no files")
            let reply = try await web.request(server.url)
            #expect(reply.body == "x")
        }
    }
}
