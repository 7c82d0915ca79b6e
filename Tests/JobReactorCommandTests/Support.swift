import Foundation
import Testing

@testable import JobReactorCommand

/// A file that is gone when the test is done with it.
final class TemporaryFile {
    let path: String

    init(_ text: String, mode: Int = 0o600) throws {
        path = FileManager.default.temporaryDirectory.appending(path: "jobreactor-\(UUID().uuidString)").path
        try Data(text.utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// What a user reads when `body` fails.
func failure(_ body: () throws -> Void) -> CommandFailure? {
    do {
        try body()
        return nil
    } catch {
        return error as? CommandFailure
    }
}

/// The settings of an environment and, if given, of a config file.
func settings(_ environment: [String: String] = [:], file: TemporaryFile? = nil) throws -> Settings {
    try Settings(environment: environment, configFlag: file?.path)
}

/// Asks again until the answer is yes: for states that announce themselves to nobody.
func eventually(
    _ what: String, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    for _ in 0..<24_000 {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("never came: \(what)", sourceLocation: sourceLocation)
}
