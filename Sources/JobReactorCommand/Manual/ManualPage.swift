private import Foundation

/// A page for `man`.
struct ManualPage: Hashable, Sendable {
    /// What every page says of the program.
    struct Release: Sendable {
        let version: String
        /// `2026-11-28`
        let date: String
    }

    let name: String
    /// 1 for a command, 7 for a page of the documentation.
    let section: Int
    let text: String

    /// Where `man` looks for it, below a folder of MANPATH.
    var path: String { "man\(section)/\(name).\(section)" }

    /// Makes the folders. A file that is there is replaced.
    func write(below folder: String) throws(CommandFailure) {
        let file = URL(filePath: folder).appending(path: path)
        do {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: file)
        } catch {
            throw .failure("cannot write \(file.path): check that \(folder) is a folder, and your permissions there")
        }
    }
}
