#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// Standard output, for results, and standard error, for everything else. Each text goes out in one piece.
enum Terminal {
    /// Throws when the result cannot be written: a full disk must not look like success.
    static func result(_ line: String) throws(CommandFailure) {
        guard let error = write(Array((line + "\n").utf8), to: STDOUT_FILENO) else { return }
        throw .failure("cannot write to standard output: \(String(cString: strerror(error)))")
    }

    /// As it is, to standard error.
    static func write(_ text: String) { _ = write(Array(text.utf8), to: STDERR_FILENO) }

    /// A line on standard error. In a server it is on its way when this returns, and may be dropped: ``writeInBackground()``.
    static func note(_ line: String) {
        if let background { return background.add(line) }
        write(line + "\n")
    }

    /// `jobreactor: message`, on one line whatever the message is; where the log has JSON, an entry of it.
    static func complain(_ message: String) {
        let line = message.split(whereSeparator: \.isNewline).map { $0.trimmingPrefix(while: \.isWhitespace) }
            .joined(separator: " ")
        note(jsonEntry(line) ?? "jobreactor: " + printable(line))
    }

    /// The text without control characters that could move the cursor or colour what follows.
    static func printable(_ text: String) -> String {
        func isPlain(_ scalar: Unicode.Scalar) -> Bool {
            scalar == "\n" || scalar == "\t" || !(scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value))
        }
        if text.unicodeScalars.allSatisfy(isPlain) { return text }
        return text.unicodeScalars.map { isPlain($0) ? String($0) : "\\x\(String($0.value, radix: 16))" }.joined()
    }

    /// The same on one line: a name or a reason of a peer's is not to look like two rows.
    static func printableLine(_ text: String) -> String {
        let text = printable(text)
        if !text.contains(where: { $0.isNewline || $0 == "\t" }) { return text }
        return text.replacing("\n", with: "\\n").replacing("\t", with: "\\t")
    }

    /// JSON, as a result.
    static func result(json text: String) throws(CommandFailure) { try result(escaped(json: text)) }

    /// The same JSON without characters that could move the cursor: they can only stand in its texts.
    static func escaped(json text: String) -> String {
        func isPlain(_ scalar: Unicode.Scalar) -> Bool { !(0x7F...0x9F).contains(scalar.value) }
        if text.unicodeScalars.allSatisfy(isPlain) { return text }
        return text.unicodeScalars.map { isPlain($0) ? String($0) : "\\u00\(String($0.value, radix: 16))" }.joined()
    }

    /// Characters in a line of the terminal that standard output is; nil when it is none.
    static var width: Int? {
        guard isatty(STDOUT_FILENO) == 1 else { return nil }
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Whether a question can be asked.
    static var canAsk: Bool { isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1 }

    /// Whether the answer is yes; anything else is no.
    static func ask(_ question: String) -> Bool {
        write(printable(question) + " [y/N] ")
        let answer = readLine()?.lowercased().filter { !$0.isWhitespace }
        return answer == "y" || answer == "yes"
    }

    /// Returns when all is written, or the error of the system.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Int32? {
        bytes.withUnsafeBytes { bytes in
            var rest = bytes
            while let start = rest.baseAddress, !rest.isEmpty {
                #if canImport(Glibc)
                    let count = Glibc.write(descriptor, start, rest.count)
                #elseif canImport(Musl)
                    let count = Musl.write(descriptor, start, rest.count)
                #else
                    let count = Darwin.write(descriptor, start, rest.count)
                #endif
                if count < 0, errno == EINTR { continue }
                if count < 0, errno == EAGAIN {
                    // Another process that has it has made it so.
                    var state = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&state, 1, -1)
                    continue
                }
                guard count > 0 else { return errno }
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            }
            return nil
        }
    }
}
