import Foundation

/// How far the work is: a bar that moves on a terminal; a line every ten per cent in a file or a pipe.
struct ProgressBar {
    let total: Int
    private(set) var done = 0
    private var shownTenths = 0
    private let isTerminal = isatty(FileHandle.standardOutput.fileDescriptor) == 1

    init(total: Int) {
        self.total = total
    }

    var isComplete: Bool { done >= total }

    mutating func step() {
        done += 1
        show()
    }

    mutating func show() {
        if isTerminal {
            let width = 40
            let filled = width * done / max(total, 1)
            let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
            // The carriage return takes the cursor back, so that the next bar covers this one.
            write("\r[\(bar)] \(done)/\(total) jobs")
        } else if 10 * done / max(total, 1) > shownTenths {
            shownTenths = 10 * done / max(total, 1)
            write("\(done)/\(total) jobs\n")
        }
    }

    /// Leaves the line of the bar.
    func end() {
        if isTerminal { write("\n") }
    }

    // Past the buffer of `print`, which keeps a line without an end to itself.
    private func write(_ text: String) {
        fflush(nil)
        FileHandle.standardOutput.write(Data(text.utf8))
    }
}
