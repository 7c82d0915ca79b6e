import Foundation

/// The begin or the end of a run, as the job itself has noted it.
struct Trace: Sendable {
    enum Kind: String, Sendable { case key, limit, tick }

    let kind: Kind
    /// The key, the distributor, or the schedule and the second of its tick.
    let name: String
    let id: String
    let member: String
    let isEnd: Bool
    /// In seconds since 1970.
    let at: Double
}

extension Trace {
    /// Nil for what is none, as of a process that was killed while it wrote. `member` names a process by its number.
    init?(_ line: Substring, member: (Int32) -> String) {
        let words = line.split(separator: " ")
        guard words.count == 6, let kind = Kind(rawValue: String(words[0])), let process = Int32(words[3]),
            let at = Double(words[5]), ["B", "E"].contains(words[4])
        else { return nil }
        self.init(
            kind: kind, name: String(words[1]), id: String(words[2]), member: member(process),
            isEnd: words[4] == "E", at: at)
    }
}

extension ChaosInstallation {
    /// In the order in which they were noted.
    func traces() -> [Trace] {
        let text = (try? String(contentsOfFile: traceFile, encoding: .utf8)) ?? ""
        let named = members.flatMap { member in member.processes.map { ($0, member.name) } }
        let processes = Dictionary(named) { first, _ in first }
        return text.split(separator: "\n").compactMap { Trace($0) { processes[$0] ?? "" } }
    }
}
