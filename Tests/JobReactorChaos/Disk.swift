import Foundation
import JobReactorTesting

/// A file system of its own, in memory, that can be filled and given room again. To mount one takes root, or sudo without a
/// password.
struct Disk: Sendable {
    /// Where it is mounted.
    let folder: String

    private static let room = 1 << 30
    private static let page = 4096

    /// Mounts it on a folder, which it makes.
    init(_ folder: String) throws {
        self.folder = folder
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        guard try Self.run("mount", ["-t", "tmpfs", "-o", "size=\(Self.room),mode=777", "tmpfs", folder]) else {
            throw ChaosError("cannot mount a file system at \(folder): run this as root, or with sudo")
        }
        try endWithUs()
    }

    /// Leaves no room: the file system becomes as large as what is on it, and a file takes the last of it.
    func fill() throws {
        // Others write meanwhile, and it cannot be made smaller than what is there.
        for attempt in 1... {
            let size = used + attempt * 16 * Self.page
            if try Self.run("mount", ["-o", "remount,size=\(size)", folder]) { break }
            guard attempt < 50 else { throw ChaosError("cannot make the file system at \(folder) smaller") }
        }
        let file = open(ballast, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard file >= 0 else { return }
        defer { close(file) }
        let page = [UInt8](repeating: 0, count: Self.page)
        while write(file, page, page.count) > 0 {}
    }

    /// Gives room again.
    func free() throws {
        guard try Self.run("mount", ["-o", "remount,size=\(Self.room)", folder]) else {
            throw ChaosError("cannot make the file system at \(folder) larger")
        }
        unlink(ballast)
    }

    func unmount() { _ = try? Self.run("umount", ["-l", folder]) }

    private var ballast: String { folder + "/ballast" }

    private var used: Int {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { return 0 }
        return Int(status.f_blocks - status.f_bfree) * Int(status.f_frsize)
    }

    private static var words: [String] { getuid() == 0 ? [] : ["sudo", "-n"] }

    private static func run(_ program: String, _ arguments: [String]) throws -> Bool {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = words + [program] + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.start()
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    /// A shell that unmounts it when this process is gone, however it went.
    private func endWithUs() throws {
        let watch = Process()
        watch.executableURL = URL(filePath: "/bin/sh")
        watch.arguments =
            [
                "-c", "while kill -0 \"$1\" 2>/dev/null; do sleep 1; done; shift; exec \"$@\"", "watch", "\(getpid())",
                "env",
            ] + Self.words + ["umount", "-l", folder]
        watch.standardInput = FileHandle.nullDevice
        watch.standardOutput = FileHandle.nullDevice
        watch.standardError = FileHandle.nullDevice
        try watch.start()
    }
}

struct ChaosError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
