internal import Foundation
private import JobReactorCore
private import Logging

extension Terminal {
    /// The room for notes that nobody has read yet.
    static let backgroundBytes = 1 << 20

    private static let writer = Locked<LineWriter?>(nil)
    /// Of the log of a server.
    private static let style = Locked<TerminalLogHandler.Style?>(nil)

    /// From now on a note waits for nobody: one that nobody reads must not stop a server. Notes come out in their order, a
    /// moment later; beyond ``backgroundBytes`` they are dropped and counted. What is left at the end of the process has a
    /// second to get out.
    static func writeInBackground(_ style: TerminalLogHandler.Style = .dated) {
        let isNew = writer.withLock { writer in
            guard writer == nil else { return false }
            writer = LineWriter(
                to: STDERR_FILENO, LineRing(capacity: backgroundBytes) { noticeOfDropped($0, at: Date(), style) })
            return true
        }
        guard isNew else { return }
        self.style.withLock { $0 = style }
        atexit { Terminal.background?.finish(within: 1) }
    }

    /// The form of what ``complain(_:)`` says before there is a log.
    static func complain(in style: TerminalLogHandler.Style) { self.style.withLock { $0 = style } }

    /// Why a server ends, as an entry of its log; nil where that has no JSON.
    static func jsonEntry(_ text: String) -> String? {
        guard style.withLock({ $0 }) == .json else { return nil }
        return TerminalLogHandler(.json, level: .info).line(.critical, text, [:], at: Date())
    }

    /// What writes the notes; nil when those who make them do.
    static var background: LineWriter? { writer.withLock { $0 } }

    static func noticeOfDropped(
        _ count: Int, at date: Date, _ style: TerminalLogHandler.Style = .dated
    ) -> String {
        let text =
            count == 1
            ? "1 log line was dropped, because nobody read it"
            : "\(count) log lines were dropped, because nobody read them"
        return TerminalLogHandler(style, level: .info).line(.warning, text, [:], at: date)
    }

    /// Opens those of the three standard streams that the process was started without: what it opens next would take
    /// their place, and get the log. Reading from them and writing to them are errors as before.
    static func openMissingStreams() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 && errno == EBADF {
            _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }
}
