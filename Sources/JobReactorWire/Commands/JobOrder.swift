package import JobReactorCore

/// A change of jobs by an operator, for one id or for all jobs that match a filter: `RETRY id`, `RETRY STATUS failed
/// NAME greet [DRY]`, `CANCEL ALL`.
package enum JobOrder: String, Hashable, Sendable, CaseIterable {
    case cancel, retry, destroy

    /// The command.
    package var verb: String { rawValue.uppercased() }

    /// Whether the order applies to a job: only unfinished jobs are cancelled, and only failed jobs are run again
    /// unless the filter names another status.
    package func means(_ job: Job, _ filter: JobFilter) -> Bool {
        switch self {
        case .cancel where job.status.isFinished: false
        case .retry where filter.status == nil && job.status != .failed: false
        case .cancel, .retry, .destroy: filter.matches(job)
        }
    }

    /// The text for the audit log before the first of many jobs is changed.
    package var beginning: String {
        switch self {
        case .cancel: "begins to cancel jobs"
        case .retry: "begins to run jobs"
        case .destroy: "begins to destroy jobs"
        }
    }

    /// The text for the audit log: `3 jobs are cancelled`.
    package func done(to count: Int) -> String {
        let jobs = count == 1 ? "1 job" : "\(count) jobs"
        return switch self {
        case .cancel: "\(jobs) \(count == 1 ? "is" : "are") cancelled"
        case .retry: "\(jobs) \(count == 1 ? "runs" : "run") now"
        case .destroy: "\(jobs) \(count == 1 ? "is" : "are") gone"
        }
    }
}

extension JobFilter {
    /// As words of a command.
    package var words: [String] {
        var words: [String] = []
        if let status { words += ["STATUS", status.rawValue] }
        if let name { words += ["NAME", name] }
        if let since { words += ["SINCE", "\(since.seconds)"] }
        if let error { words += ["ERROR", error] }
        return words
    }

    /// Takes one option of a command; false when it is none of a filter.
    mutating func read(
        _ option: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer
    ) throws(CommandError) -> Bool {
        if CommandWord.matches(option, "STATUS") {
            // Names of statuses are short, and a word of a command may be long.
            let text = String(decoding: value.prefix(32), as: UTF8.self).replacing("_", with: " ")
            guard value.count <= 32, let status = JobStatus(rawValue: text.lowercased()) else {
                let all = JobStatus.allCases.map(\.rawValue).joined(separator: ", ")
                throw CommandError("ERR STATUS takes one of \(all), not '\(CommandWord.shown(value))'")
            }
            self.status = status
        } else if CommandWord.matches(option, "NAME") {
            let text = String(decoding: value, as: UTF8.self)
            if let problem = Name.problem(in: text) { throw CommandError("ERR NAME \(problem)") }
            name = text
        } else if CommandWord.matches(option, "SINCE") {
            guard let seconds = CommandWord.number(value) else {
                throw CommandError("ERR SINCE takes seconds since 1970, not '\(CommandWord.shown(value))'")
            }
            since = Timestamp(seconds: seconds)
        } else if CommandWord.matches(option, "ERROR") {
            guard (1...Self.errorBytes).contains(value.count) else {
                throw CommandError("ERR ERROR takes a text of 1 to \(Self.errorBytes) bytes")
            }
            error = String(decoding: value, as: UTF8.self)
        } else {
            return false
        }
        return true
    }
}

extension ClientCommand {
    /// `RETRY`, `CANCEL` or `DESTROY` of all jobs that match a filter. The explicit word `ALL` means all jobs, so that
    /// a forgotten filter does not change everything.
    static func orders(_ order: JobOrder, _ frame: RESPFrame, _ count: Int) throws(CommandError) -> ClientCommand {
        var filter = JobFilter()
        var (isDry, isAll) = (false, false)
        var index = 1
        while index < count {
            let option = frame.word(index)
            if CommandWord.matches(option, "DRY") {
                (isDry, index) = (true, index + 1)
            } else if CommandWord.matches(option, "ALL") {
                (isAll, index) = (true, index + 1)
            } else {
                guard index + 1 < count, try filter.read(option, frame.word(index + 1)) else {
                    throw CommandError(
                        "ERR \(order.verb) takes the id of a job, or STATUS s, NAME n, SINCE unix-seconds and ERROR text,"
                            + " or ALL, and DRY, not '\(CommandWord.shown(option))'")
                }
                index += 2
            }
        }
        guard isAll != !filter.isEmpty else {
            throw CommandError(
                "ERR \(order.verb) of many jobs takes STATUS s, NAME n, SINCE unix-seconds or ERROR text, or else ALL")
        }
        return .orders(order, filter, isDry: isDry)
    }
}
