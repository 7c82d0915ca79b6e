package import JobReactorCore

/// A query for records at a port: `RECORDS [AFTER id | BEFORE id | NEWEST] [COUNT n] [STATUS s] [NAME n] …`.
package struct RecordQuery: Hashable, Sendable {
    package enum Order: Hashable, Sendable {
        /// In the order of their ids.
        case oldestFirst
        case newestFirst
    }

    package var order: Order
    /// Only those beyond it.
    package var start: JobID?
    /// At most so many, from 1 to ``ClientCommand/mostRows``.
    package var count: Int
    package var filter: JobFilter

    package init(
        _ order: Order = .oldestFirst, from start: JobID? = nil, count: Int = 100, filter: JobFilter = JobFilter()
    ) {
        self.order = order
        self.start = start
        self.count = count
        self.filter = filter
    }

    /// The words of the command.
    package var words: [String] {
        let place =
            switch (order, start) {
            case (.oldestFirst, nil): [String]()
            case (.newestFirst, nil): ["NEWEST"]
            case (.oldestFirst, let id?): ["AFTER", id.description]
            case (.newestFirst, let id?): ["BEFORE", id.description]
            }
        return ["RECORDS"] + place + ["COUNT", "\(count)"] + filter.words
    }

    init(_ frame: RESPFrame, _ count: Int) throws(CommandError) {
        self.init()
        var index = 1
        while index < count {
            let option = frame.word(index)
            if CommandWord.matches(option, "NEWEST") {
                order = .newestFirst
                index += 1
                continue
            }
            guard index + 1 < count else { throw Self.wrong(", and '\(CommandWord.shown(option))' stands alone") }
            let value = frame.word(index + 1)
            if CommandWord.matches(option, "AFTER") {
                (order, start) = (.oldestFirst, try ClientCommand.id(value))
            } else if CommandWord.matches(option, "BEFORE") {
                (order, start) = (.newestFirst, try ClientCommand.id(value))
            } else if CommandWord.matches(option, "COUNT") {
                self.count = try ClientCommand.pageCount(value)
            } else if try !filter.read(option, value) {
                throw Self.wrong(", not '\(CommandWord.shown(option))'")
            }
            index += 2
        }
    }

    private static func wrong(_ end: String) -> CommandError {
        CommandError(
            "ERR RECORDS takes AFTER id, BEFORE id or NEWEST, COUNT n, STATUS s, NAME n, SINCE unix-seconds and ERROR text"
                + end)
    }
}
