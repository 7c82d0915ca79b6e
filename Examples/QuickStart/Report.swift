import Foundation
import JobReactor

/// Adds up the results of all jobs and prints them for people.
struct Report {
    private let root: String
    private var texts: [TextStatistics] = []
    private var words: [String: Int] = [:]
    private var logs: [LogStatistics] = []

    init(folder: String) {
        root = URL(fileURLWithPath: folder).standardizedFileURL.path
    }

    mutating func add(_ result: JobResult) throws {
        if result.name == "access_log" {
            logs.append(try result.decode(LogStatistics.self))
            return
        }
        let text = try result.decode(TextStatistics.self)
        texts.append(text)
        for word in text.mostFrequent { words[word.word, default: 0] += word.count }
    }

    func print() {
        printTexts()
        printWords()
        for log in logs { printLog(log) }
    }

    private func printTexts() {
        func sum(_ value: KeyPath<TextStatistics, Int>) -> String {
            grouped(texts.reduce(0) { $0 + $1[keyPath: value] })
        }
        heading("\(texts.count) files: \(sum(\.lines)) lines, \(sum(\.words)) words, \(sum(\.bytes)) bytes")
        for text in texts.sorted(by: { ($1.lines, $0.path) < ($0.lines, $1.path) }).prefix(5) {
            line(right(grouped(text.lines), 8), "lines", short(text.path))
        }
        if let widest = texts.max(by: { $0.longestLine.length < $1.longestLine.length }) {
            let place = "\(short(widest.path)):\(widest.longestLine.number)"
            line(right(grouped(widest.longestLine.length), 8), "characters in the longest line,", place)
        }
    }

    private func printWords() {
        let frequent = words.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(10)
        guard let most = frequent.first?.value else { return }
        heading("Most frequent words of five letters and more")
        for (word, count) in frequent {
            line(right(grouped(count), 8), left(word, 16), String(repeating: "#", count: max(1, 40 * count / most)))
        }
    }

    private func printLog(_ log: LogStatistics) {
        let clients = grouped(log.uniqueClients)
        heading("Access log: \(grouped(log.requests)) requests from \(clients) clients, \(grouped(log.bytes)) bytes")
        let classes = log.byClass.sorted { $0.key < $1.key }.map { "\($0.key): \(grouped($0.value))" }
        line("  " + classes.joined(separator: "   "), "  unreadable lines: \(log.unreadableLines)")
        line("  errors: \(decimal(100 * log.errorRatio, 1)) %")
        line("  busiest")
        for path in log.busiestPaths { line(right(grouped(path.count), 8), path.path) }
        line("  slowest, seconds: mean, longest")
        for path in log.slowestPaths {
            line(right(decimal(path.meanSeconds, 3), 8), right(decimal(path.maxSeconds, 3), 8), path.path)
        }
        if let busiest = log.requestsPerHour.max(by: { $0.requests < $1.requests }), busiest.requests > 0 {
            let steps = Array("▁▂▃▄▅▆▇█")
            let curve = log.requestsPerHour.map { steps[(steps.count - 1) * $0.requests / busiest.requests] }
            line("  by hour  " + String(curve.suffix(72)), " most: \(grouped(busiest.requests)) at \(busiest.hour)")
        }
        for alert in log.alerts { line("  ALERT  " + alert) }
    }

    private func heading(_ text: String) { Swift.print("\n" + text) }

    private func line(_ columns: String...) { Swift.print(columns.joined(separator: " ")) }

    private func short(_ path: String) -> String {
        path.hasPrefix(root + "/") ? String(path.dropFirst(root.count + 1)) : path
    }
}

private func left(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}

private func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}

/// 1234567 as 1,234,567.
private func grouped(_ number: Int) -> String {
    var result = ""
    for (index, digit) in String(number).reversed().enumerated() {
        if index > 0 && index % 3 == 0 { result.append(",") }
        result.append(digit)
    }
    return String(result.reversed())
}

private func decimal(_ number: Double, _ places: Int) -> String {
    String(format: "%.\(places)f", number)
}
