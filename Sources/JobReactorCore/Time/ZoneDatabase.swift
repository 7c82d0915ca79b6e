#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif
#if canImport(FoundationEssentials)
    private import FoundationEssentials
#else
    private import Foundation
#endif

/// The time zones of this machine, by their IANA names. Any thread may use it.
///
/// It reads the files of the system (`$TZDIR`, otherwise `/usr/share/zoneinfo`). Foundation's time zones would need all
/// of ICU on Linux, and may have other rules than the rest of the machine. `UTC` is known even without files.
public final class ZoneDatabase: Sendable {
    /// The database of the system.
    public static let system = ZoneDatabase(
        directories: [
            ProcessInfo.processInfo.environment["TZDIR"], "/usr/share/zoneinfo", "/usr/lib/zoneinfo",
            "/var/db/timezone/zoneinfo", "/etc/zoneinfo",
        ].compactMap { $0 })

    private let directories: [String]
    /// Zones that were asked for: each of them is a file, so there are few.
    private let known = Locked<[String: ZoneRules]>([:])
    /// The names, once they were asked for.
    private let listed = Locked<[String]?>(nil)

    /// Bytes of a file at most; those that there are have less than 4 KiB.
    private static let fileBytes = 256 << 10
    /// Bytes of a name at most.
    private static let nameBytes = 255

    /// A zone is read from the first of these directories that has it.
    package init(directories: [String]) { self.directories = directories }

    /// The rules of a zone. They are read once: an updated database takes effect at the next start of the process.
    ///
    /// Throws ``JobError/Code/invalidOption`` for an unknown name, with a suggestion.
    public func rules(of name: String) throws(JobError) -> ZoneRules {
        if let rules = known.withLock({ $0[name] }) { return rules }
        guard Self.isName(name) else {
            throw JobError(
                .invalidOption,
                "timezone takes an IANA name such as Europe/Berlin or UTC, not '\(name.cut(toBytes: 200))'")
        }
        var problem: ZoneFileError?
        for directory in directories {
            guard let bytes = Self.read("\(directory)/\(name)") else { continue }
            do throws(ZoneFileError) {
                let rules = try ZoneRules(file: bytes)
                known.withLock { $0[name] = rules }
                return rules
            } catch {
                problem = problem ?? error
            }
        }
        if name == "UTC" { return .utc }
        if let problem {
            throw JobError(.invalidOption, "the time zone '\(name)' cannot be used: its file: \(problem)")
        }
        throw unknown(name)
    }

    private func unknown(_ name: String) -> JobError {
        let names = names
        guard !names.isEmpty else {
            return JobError(
                .invalidOption,
                "this machine has no time zones, so '\(name)' is unknown: install its package tzdata, or set TZDIR")
        }
        let isSame = { (other: String) in other.lowercased() == name.lowercased() }
        guard let near = names.first(where: isSame) ?? NearestName.find(name, among: names) else {
            return JobError(
                .invalidOption, "unknown time zone '\(name)': timezone takes an IANA name such as Europe/Berlin or UTC")
        }
        return JobError(.invalidOption, "unknown time zone '\(name)': did you mean '\(near)'?")
    }

    /// All names of the first directory with zones, sorted. Reads directories once.
    public var names: [String] {
        listed.withLock { listed in
            let names = listed ?? list()
            listed = names
            return names
        }
    }

    private func list() -> [String] {
        for directory in directories {
            // Those in `right` count leap seconds, those in `posix` are the same again.
            let paths = (try? FileManager.default.subpathsOfDirectory(atPath: directory)) ?? []
            let names = paths.filter { path in
                Self.isName(path) && path.first?.isUppercase == true
                    && Self.read("\(directory)/\(path)", most: 4)?.elementsEqual("TZif".utf8) == true
            }
            if !names.isEmpty { return names.sorted() }
        }
        return []
    }

    /// Whether it can be the name of a zone: no path leads out of the directory.
    private static func isName(_ name: String) -> Bool {
        guard name.utf8.count <= nameBytes else { return false }
        let areAllowed = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "/"): true
            default: false
            }
        }
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        return areAllowed && parts.allSatisfy { !$0.isEmpty } && parts[0] != "right" && parts[0] != "posix"
    }

    /// The bytes of a plain file; nil where there is none, or a larger one than there can be. `most`: no more than so many.
    private static func read(_ path: String, most: Int? = nil) -> [UInt8]? {
        // What is no plain file must not be waited for.
        let file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= fileBytes else {
            return nil
        }
        let limit = most ?? Int(status.st_size)
        return [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            count = 0
            while count < limit {
                guard let start = buffer.baseAddress else { return }
                let read = Self.read(file, start + count, limit - count)
                if read <= 0 { return }
                count += read
            }
        }
    }

    private static func read(_ file: Int32, _ start: UnsafeMutablePointer<UInt8>, _ count: Int) -> Int {
        #if canImport(Glibc)
            Glibc.read(file, start, count)
        #elseif canImport(Musl)
            Musl.read(file, start, count)
        #else
            Darwin.read(file, start, count)
        #endif
    }
}
