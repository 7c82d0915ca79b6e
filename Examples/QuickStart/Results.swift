/// What `text_statistics` leaves in its args; see `reactor_jobs/text_statistics.lua`.
struct TextStatistics: Decodable {
    struct Word: Decodable {
        let word: String
        let count: Int
    }
    struct Line: Decodable {
        let number: Int
        let length: Int
    }

    let path: String
    let lines: Int
    let words: Int
    let bytes: Int
    let longestLine: Line
    let mostFrequent: [Word]

    enum CodingKeys: String, CodingKey {
        case path, lines, words, bytes
        case longestLine = "longest_line"
        case mostFrequent = "most_frequent"
    }
}

/// What `access_log` leaves in its args; see `reactor_jobs/access_log.lua`.
struct LogStatistics: Decodable {
    struct Path: Decodable {
        let path: String
        let count: Int
    }
    struct SlowPath: Decodable {
        let path: String
        let requests: Int
        let meanSeconds: Double
        let maxSeconds: Double

        enum CodingKeys: String, CodingKey {
            case path, requests
            case meanSeconds = "mean_seconds"
            case maxSeconds = "max_seconds"
        }
    }
    struct Hour: Decodable {
        let hour: String
        let requests: Int
    }

    let requests: Int
    let bytes: Int
    let uniqueClients: Int
    let unreadableLines: Int
    let errorRatio: Double
    let byClass: [String: Int]
    let busiestPaths: [Path]
    let slowestPaths: [SlowPath]
    let requestsPerHour: [Hour]
    let alerts: [String]

    enum CodingKeys: String, CodingKey {
        case requests, bytes, alerts
        case uniqueClients = "unique_clients"
        case unreadableLines = "unreadable_lines"
        case errorRatio = "error_ratio"
        case byClass = "by_class"
        case busiestPaths = "busiest_paths"
        case slowestPaths = "slowest_paths"
        case requestsPerHour = "requests_per_hour"
    }
}
