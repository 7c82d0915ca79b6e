import Foundation

/// One of those who would fill a distributor's memory, use up its places or its time, or deceive it. Each kind does its worst
/// again and again until it is told to end.
enum HostileClient: String, CaseIterable, Sendable {
    /// Holds places without a password.
    case idle
    /// Begins large messages before the password.
    case unfinishedStranger
    /// Guesses passwords, a hundred at once.
    case guesser
    /// Connects and leaves.
    case visitor
    /// Speaks TLS and HTTP to a port that does neither.
    case wrongProtocol
    /// Begins large messages and does not end them.
    case unfinished
    /// Asks for much and reads nothing.
    case unread
    /// Enqueues large jobs that nobody runs.
    case filler
    /// Enqueues jobs of ever new names, and asks for the list of them.
    case names
    /// Performs jobs that nobody runs, and leaves.
    case waiter
    /// Links as an application, sends what it may, and takes nothing.
    case producer
    /// Links as a node that takes nothing and reports what others have run.
    case liar

    /// What it can log in as: see ``CrowdCommand``.
    static let user = "crowd"
    static let node = "liar"

    func run(port: Int, password: String, number: Int, until isOver: () -> Bool) {
        var round = 0
        while !isOver() {
            round += 1
            attack(port, password, "\(number)-\(round)", until: isOver)
        }
    }

    private func attack(_ port: Int, _ password: String, _ name: String, until isOver: () -> Bool) {
        guard let peer = PlainSocket(port: port) else { return Self.wait(0.1) }
        switch self {
        case .idle:
            let others = (0..<30).compactMap { _ in PlainSocket(port: port) }
            while !isOver(), let bytes = peer.receive(), bytes.isEmpty { _ = others }
        case .unfinishedStranger:
            peer.send("*2\r\n$4\r\nAUTH\r\n$14680064\r\n")
            while !isOver(), peer.send([UInt8](repeating: 120, count: 4096)) { Self.wait(0.05) }
        case .guesser:
            let guess = PlainSocket.frame(["AUTH", Self.user, "guess"])
            while !isOver(), peer.send(Array(repeatElement(guess, count: 100).joined())), peer.receive() != nil {}
        case .visitor: Self.wait(0.005)
        case .wrongProtocol:
            peer.send(Bool.random() ? [0x16, 0x03, 0x01, 0x02, 0x00, 0x01] : Array("POST / HTTP/1.1\r\n".utf8))
            _ = peer.receive()
        default: if logIn(peer, password) { attackKnown(peer, name, until: isOver) }
        }
    }

    private func logIn(_ peer: PlainSocket, _ password: String) -> Bool {
        peer.command("AUTH", self == .liar ? Self.node : Self.user, password)
        for _ in 0..<20 {
            guard let bytes = peer.receive() else { return false }
            if !bytes.isEmpty { return bytes.first == UInt8(ascii: "+") }
        }
        return false
    }

    private func attackKnown(_ peer: PlainSocket, _ name: String, until isOver: () -> Bool) {
        switch self {
        case .unfinished:
            peer.send("*3\r\n$7\r\nENQUEUE\r\n$6\r\nabsent\r\n$14000000\r\n")
            var left = 13
            while !isOver(), left > 0, peer.send([UInt8](repeating: 120, count: 1 << 20)) { left -= 1 }
            while !isOver(), let bytes = peer.receive(), bytes.isEmpty {}
        case .unread:
            let args = #"{"text":"\#(String(repeating: "x", count: 10_000))"}"#
            let commands = PlainSocket.frame(["PING", args]) + PlainSocket.frame(["INFO"])
            while !isOver(), peer.send(commands) {}
            while !isOver(), let bytes = peer.receive(), bytes.isEmpty {}
        case .filler:
            let args = #"{"text":"\#(String(repeating: "x", count: 10_000))"}"#
            let batch = Array(repeatElement(PlainSocket.frame(["ENQUEUE", "absent", args]), count: 20).joined())
            while !isOver(), peer.send(batch), peer.receive(lines: 20) {}
        case .names:
            var count = 0
            while !isOver() {
                let batch = (0..<100).flatMap { PlainSocket.frame(["ENQUEUE", "absent-\(name)-\(count + $0)"]) }
                count += 100
                guard peer.send(batch), peer.receive(lines: 100), peer.command("INFO"), peer.receive() != nil else {
                    return
                }
            }
        case .waiter:
            let perform = PlainSocket.frame([
                "PERFORM", "absent", #"{"text":"\#(String(repeating: "x", count: 2_000))"}"#,
            ])
            for _ in 0..<100 where !isOver() { if !peer.send(perform) { return } }
            Self.wait(0.5)
        case .producer:
            peer.command("PRODUCER", "3", name)
            var number = 0
            while !isOver(), number < 8000 {
                number += 1
                let id = String(format: "%016x%016x", name.utf8.reduce(7) { $0 &* 31 &+ Int($1) }, number)
                guard peer.command("JOB", "\(number)", id, "absent", #"{"a":1}"#) else { return }
            }
            while !isOver(), let bytes = peer.receive(), bytes.isEmpty {}
        case .liar:
            peer.command("NODE", "3", "liar-\(name)", "process-\(name)", "VOLATILE", "", "", "")
            peer.command("JOBS", "absent-\(name)")
            var number = 0
            while !isOver() {
                number += 1
                let id = String(format: "%016x%016x", number, number)
                guard peer.command("RESULT", "\(number)", id, "work", "error", "failed", "1", #"{"error":"a lie"}"#),
                    peer.receive() != nil
                else { return }
            }
        case .idle, .unfinishedStranger, .guesser, .visitor, .wrongProtocol: break
        }
    }

    private static func wait(_ seconds: Double) { Thread.sleep(forTimeInterval: seconds) }
}
