import Foundation

/// The one folder whose files the web may name.
struct SharedFolder: Sendable {
    private let root: String

    /// Nil when there is no such folder.
    init?(_ path: String) {
        guard let root = Self.realPath(path) else { return nil }
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: root, isDirectory: &isDirectory), isDirectory.boolValue else {
            return nil
        }
        self.root = root
    }

    /// The absolute path of a regular file in the folder or below; nil for all else, be it `../../etc/passwd`, a symbolic
    /// link that leads out, or a pipe, whose reader would wait for ever.
    func file(at path: String) -> String? {
        guard let file = Self.realPath(root + "/" + path), file.hasPrefix(root == "/" ? root : root + "/") else {
            return nil
        }
        let type = try? FileManager.default.attributesOfItem(atPath: file)[.type] as? FileAttributeType
        return type == .typeRegular ? file : nil
    }

    /// The path with `..` and links resolved, as the system itself does it; nil when there is nothing.
    private static func realPath(_ path: String) -> String? {
        // C ends a string at the first NUL; what is checked must be what is opened.
        guard !path.utf8.contains(0), let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(validatingCString: resolved)
    }
}
