import Foundation

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
