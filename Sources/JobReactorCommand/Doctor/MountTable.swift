/// The file systems of this machine, as `/proc/self/mountinfo` lists them.
struct MountTable {
    /// Those whose files are another machine's.
    static let network: Set<String> = [
        "9p", "afs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "glusterfs", "nfs", "nfs4", "smb3", "smbfs",
    ]

    private let mounts: [(place: String, kind: String)]

    init(_ text: String) {
        mounts = text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            // Of what stands between, as many words as there are; then the kind follows a dash.
            guard words.count > 6, let dash = words[6...].firstIndex(of: "-"), dash + 1 < words.count else {
                return nil
            }
            return (Self.unescaped(words[4]), String(words[dash + 1]))
        }
    }

    /// Of the file system that an absolute path, without symbolic links, is on; nil where that is not listed.
    func kind(of path: String) -> String? {
        // Of several at one place the last is what one sees.
        mounts.enumerated().filter { Self.contains($0.element.place, path) }
            .max { ($0.element.place.utf8.count, $0.offset) < ($1.element.place.utf8.count, $1.offset) }?.element.kind
    }

    private static func contains(_ place: String, _ path: String) -> Bool {
        path == place || path.hasPrefix(place.hasSuffix("/") ? place : place + "/")
    }

    /// Spaces and the like are octal numbers there: `\040`.
    private static func unescaped(_ word: Substring) -> String {
        guard word.contains("\\") else { return String(word) }
        var bytes: [UInt8] = []
        var rest = Array(word.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(3), as: UTF8.self)
            if byte == UInt8(ascii: "\\"), digits.utf8.count == 3, let number = UInt8(digits, radix: 8) {
                bytes.append(number)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
