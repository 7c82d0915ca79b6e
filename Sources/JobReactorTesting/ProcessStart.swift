private import Foundation

/// When a process began, which tells it from a later one that has its id: ids are used again within minutes.
package enum ProcessStart {
    /// In ticks since the machine started, as Linux has it; empty when there is no such process.
    package static func of(_ process: Int32) -> String {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            // Behind the name of the program, which may have anything in it.
            let end = text.lastIndex(of: ")")
        else { return "" }
        let fields = text[text.index(after: end)...].split(separator: " ")
        return fields.count > 19 ? String(fields[19]) : ""
    }

    /// For a shell: kills the process $1 if it is the one that began at $2.
    package static let killIfSame = """
        kill_if_same() {
          began=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20)
          if [ -n "$2" ] && [ "$began" = "$2" ]; then kill -KILL "$1"; fi
        }
        """
}
