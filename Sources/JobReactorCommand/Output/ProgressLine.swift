#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif
internal import JobReactor
private import JobReactorCore

/// How far a job is, on standard error: a bar that moves on a terminal, a line for each word elsewhere.
final class ProgressLine: Sendable {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let isShown = Locked(false)

    func show(_ progress: JobProgress) {
        if progress.isParked {
            end()
            return Terminal.complain(progress.text)
        }
        let line = Self.line(progress)
        guard isTerminal else { return Terminal.note(line) }
        isShown.withLock { isShown in
            isShown = true
            // Back to the start of the line, and what was there is cleared.
            Terminal.write("\r\u{1B}[K" + line)
        }
    }

    /// Leaves the line of the bar.
    func end() {
        isShown.withLock { isShown in
            if isShown { Terminal.write("\n") }
            isShown = false
        }
    }

    static func line(_ progress: JobProgress) -> String {
        let text = Terminal.printable(progress.text.replacing("\n", with: " "))
        guard let fraction = progress.fraction else { return text }
        let width = 30
        let filled = Int(Double(width) * fraction)
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        let percent = "\(Int(fraction * 100)) %"
        return "[\(bar)] \(String(repeating: " ", count: max(0, 5 - percent.count)))\(percent)"
            + (text.isEmpty ? "" : " \(text)")
    }
}
