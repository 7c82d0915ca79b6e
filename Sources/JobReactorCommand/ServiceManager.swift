private import Foundation
internal import NIOCore

/// The service manager that has started this process, as systemd does with `Type=notify`: it is told how far we are, over the
/// socket that it has named in the environment.
struct ServiceManager: Sendable {
    /// A path, or, with `@` before it, a name of Linux' own.
    private let place: String
    /// How often it wants to hear of us, in microseconds; nil where it does not.
    private let watchdog: Int64?

    /// Nil where nobody wants to know. Takes what it has read out of the environment: it is not for the programs of jobs. To be
    /// called before there are threads.
    static func fromEnvironment() -> ServiceManager? {
        let environment = ProcessInfo.processInfo.environment
        let names = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]
        defer { for name in names { unsetenv(name) } }
        guard let place = environment["NOTIFY_SOCKET"], !place.isEmpty else { return nil }
        let isOurs = environment["WATCHDOG_PID"].map { $0 == "\(getpid())" } ?? true
        let watchdog = environment["WATCHDOG_USEC"].flatMap { Int64($0) }
        return ServiceManager(place: place, watchdog: isOurs ? watchdog.flatMap { $0 > 1 ? $0 : nil } : nil)
    }

    /// That the start has come to its end, and, where it asks for that, from now on again and again that the loop goes round.
    func started(on loop: any EventLoop) {
        tell("READY=1")
        guard let watchdog else { return }
        loop.scheduleRepeatedTask(initialDelay: .zero, delay: .microseconds(watchdog / 2)) { _ in
            tell("WATCHDOG=1", waits: false)
        }
    }

    /// What people see beside the state of the service.
    func status(_ text: String) { tell("STATUS=\(text)") }

    /// That the stop has begun, and may take so many seconds and a little more, whatever time the service has for it.
    func stopping(within seconds: Double) {
        tell("STOPPING=1\nEXTEND_TIMEOUT_USEC=\(Int64((min(seconds, 1e9) + 30) * 1_000_000))")
    }

    /// It is lost where nobody listens, and where a manager does not read for 5 s what was said before; without `waits` at once.
    private func tell(_ message: String, waits: Bool = true) {
        #if canImport(Glibc)
            let kind = SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | (waits ? 0 : SOCK_NONBLOCK.rawValue)
            let descriptor = socket(AF_UNIX, Int32(kind), 0)
            guard descriptor >= 0 else { return }
            defer { close(descriptor) }
            var patience = timeval(tv_sec: 5, tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            var path = Array(place.utf8)
            let hasNoPath = path.first == UInt8(ascii: "@")
            if hasNoPath { path[0] = 0 }
            let room = MemoryLayout.size(ofValue: address.sun_path)
            guard path.count < room else { return }
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
            // Of a name that is no path each byte counts; a path ends with a zero.
            let length = MemoryLayout<sockaddr_un>.size - room + path.count + (hasNoPath ? 0 : 1)
            let bytes = Array(message.utf8)
            withUnsafePointer(to: address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                    _ = sendto(descriptor, bytes, bytes.count, 0, pointer, socklen_t(length))
                }
            }
        #endif
    }
}
