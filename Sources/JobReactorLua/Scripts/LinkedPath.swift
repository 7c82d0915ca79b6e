#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// The way of a path through symbolic links.
enum LinkedPath {
    /// A name in a folder that leads on.
    struct Step: Hashable {
        /// A path without links.
        let folder: String
        let name: String

        var path: String { folder == "/" ? "/" + name : folder + "/" + name }
    }

    /// Every name on the way that exists, and the first that does not, through at most 40 links.
    static func steps(to path: String) -> [Step] {
        var steps: [Step] = []
        var rest = Array(path.split(separator: "/").map(String.init).reversed())
        var folder = path.hasPrefix("/") ? "/" : "."
        var links = 0
        while let name = rest.popLast() {
            if name == "." { continue }
            if name == ".." {
                folder = folder == "/" ? "/" : folder + "/.."
                continue
            }
            let step = Step(folder: folder, name: name)
            steps.append(step)
            if let link = link(step.path) {
                links += 1
                if links > 40 { return steps }
                if link.hasPrefix("/") { folder = "/" }
                rest += link.split(separator: "/").map(String.init).reversed()
            } else if FileKind.of(step.path) == .missing {
                return steps
            } else {
                folder = step.path
            }
        }
        return steps
    }

    /// What a link leads to, as a path; nil for what is no link.
    static func target(of path: String) -> String? {
        guard let link = link(path) else { return nil }
        return link.hasPrefix("/") ? link : parent(of: path) + "/" + link
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func link(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink(path, &buffer, buffer.count - 1)
        guard count > 0 else { return nil }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
