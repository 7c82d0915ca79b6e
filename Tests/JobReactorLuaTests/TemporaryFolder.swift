import Foundation

/// A folder that is there for a test.
struct TemporaryFolder {
    let path: String

    /// Makes one with these files, and removes it when `body` is done.
    static func with<Output>(
        _ files: [String: String] = [:], _ body: (TemporaryFolder) async throws -> Output
    ) async throws -> Output {
        let path = FileManager.default.temporaryDirectory.appending(path: "jobreactor-\(UUID().uuidString)").path
        let folder = TemporaryFolder(path: path)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        for (name, text) in files { try folder.write(name, text) }
        return try await body(folder)
    }

    func file(_ name: String) -> String { path + "/" + name }

    /// In place.
    func write(_ name: String, _ text: String) throws {
        let url = URL(filePath: file(name))
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    /// An empty file, or folder, whose name need not be UTF-8.
    func make(_ name: [UInt8], isFolder: Bool = false) throws {
        let path = (Array(file("").utf8) + name + [0]).map { CChar(bitPattern: $0) }
        guard !isFolder else {
            guard mkdir(path, 0o700) == 0 else { throw CocoaError(.fileWriteUnknown) }
            return
        }
        let descriptor = open(path, O_CREAT | O_WRONLY, 0o600)
        guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown) }
        close(descriptor)
    }

    /// As careful editors do.
    func replace(_ name: String, _ text: String) throws {
        let folder = name.lastIndex(of: "/").map { name[...$0] } ?? ""
        let hidden = "\(folder).\(name.dropFirst(folder.count)).new"
        try write(hidden, text)
        try move(hidden, to: name)
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: file(name)) }

    func move(_ name: String, to other: String) throws {
        guard rename(file(name), file(other)) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }

    func makeFolder(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: file(name), withIntermediateDirectories: true)
    }

    /// As `ln -sfn` does: a new link takes the place of the old one.
    func link(_ name: String, to target: String) throws {
        let new = file(name) + ".new"
        guard symlink(target, new) == 0, rename(new, file(name)) == 0 else { throw CocoaError(.fileWriteUnknown) }
    }
}
