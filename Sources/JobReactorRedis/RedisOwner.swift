#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif
private import FoundationEssentials
internal import JobReactorWire

/// A process that holds a lease, in a form that another on the same machine can tell whether it is still alive: where the
/// processes are counted, the number, when it started, and a random part for each time a storage is opened.
struct RedisOwner: Hashable {
    let machine: String
    let process: Int32
    let start: String
    let host: String
    let instance: String

    /// This process.
    init() {
        let boot = try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
        let space = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/pid")
        // Without either nobody can tell whether we live, and our lease has to expire.
        machine = "\(boot?.filter { !$0.isWhitespace } ?? UUID().uuidString)/\(space ?? "")"
        process = getpid()
        if case .running(let since) = Self.look(at: process) { start = since } else { start = "" }
        // The parts stand side by side in one text.
        host = Transport.hostName.filter { !$0.isWhitespace }
        instance = UUID().uuidString
    }

    init?(_ text: String) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 5, let process = Int32(parts[1]) else { return nil }
        (machine, self.process, start, host, instance) = (parts[0], process, parts[2], parts[3], parts[4])
    }

    var text: String { "\(machine) \(process) \(start) \(host) \(instance)" }

    /// For people: where it is.
    var shown: String { "process \(process) on \(host)" }

    enum Life { case alive, dead, unknown }

    /// As seen from here; unknown when it runs elsewhere, or is hidden from us.
    func life(seenFrom here: RedisOwner) -> Life {
        guard machine == here.machine else { return .unknown }
        return switch Self.look(at: process) {
        case .running(let since): since == start ? .alive : .dead
        case .ended: .dead
        case .hidden: .unknown
        }
    }

    private enum Sight {
        /// Since then, in ticks since the machine began.
        case running(since: String)
        case ended
        /// There is one of that number, of which nothing more is shown.
        case hidden
    }

    private static func look(at process: Int32) -> Sight {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else {
            // Where /proc shows nobody the processes of others (hidepid, ProtectProc=), they are there all the same.
            return kill(process, 0) == 0 || errno == EPERM ? .hidden : .ended
        }
        let fields = text[end...].split(separator: " ")
        // A zombie has ended: it only waits for its parent.
        return fields.count > 20 && fields[1] != "Z" ? .running(since: String(fields[20])) : .ended
    }
}
