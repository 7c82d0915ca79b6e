extension RunOutcome {
    /// The largest number of bytes of JSON of the args after a run: ``JobLimits/argsBytes``, or the size of the args
    /// before the run if that is larger.
    package static func limit(after stored: JobArguments) -> Int { max(JobLimits.argsBytes, stored.bytes.count) }

    /// Reduces an outcome that is too large. Args beyond ``limit(after:)`` are replaced by `stored`, the args from
    /// before the run, and count as a failure of the step that left them: of the job, or of its errbacks. An error
    /// beyond its limit is replaced by its text; texts are cut.
    ///
    /// `leftBytes` is the number of bytes of args after the run, if `args` does not contain them.
    package mutating func limit(leftBytes: Int? = nil, stored: JobArguments) {
        if hasFailure { limitErrors() }
        let (count, limit) = (leftBytes ?? args.bytes.count, Self.limit(after: stored))
        guard count > limit else { return }
        args = stored
        let problem = "the args after the run have \(count) bytes of JSON: at most \(limit) are allowed"
        let json = Array(JSONValue.string(problem).json.utf8)
        switch kind {
        case .succeeded, .cancelled:
            kind = kind == .succeeded ? .raised : .failedCancelled
            message = problem
            error = json
        case .failed, .failedCancelled: errbackError = json
        case .raised, .undefined: break
        }
    }

    private mutating func limitErrors() {
        if let count = error?.count, count > JobLimits.errorBytes {
            error = Self.replacement("error", count, text: message)
        }
        if let count = errbackError?.count, count > JobLimits.errorBytes {
            errbackError = Self.replacement("errback_error", count, text: nil)
        }
        if let text = message, text.utf8.count > JobLimits.errorTextBytes {
            message = text.cut(toBytes: JobLimits.errorTextBytes)
        }
        if let text = traceback, text.utf8.count > JobLimits.errorTextBytes {
            traceback = text.cut(toBytes: JobLimits.errorTextBytes)
        }
    }

    private static func replacement(_ name: String, _ count: Int, text: String?) -> [UInt8] {
        var told = "\(name) has \(count) bytes of JSON: at most \(JobLimits.errorBytes) are reported"
        if let text { told += ": \(text.cut(toBytes: JobLimits.argsTextBytes))" }
        return Array(JSONValue.string(told).json.utf8)
    }
}

extension JobReport {
    /// The report, or a replacement if its args, stored by an earlier version, do not fit into a message.
    package var limited: JobReport {
        let count = feedback.args.bytes.count
        // The rest of the message is a name, a few words and the lengths of all of them.
        guard count > JobLimits.messageBytes - 4096 else { return self }
        let text = "the args of this outcome have \(count) bytes of JSON, too many for a message"
        var report = self
        report.feedback = Feedback(.error, args: JobArguments([("error", .string(text))]))
        return report
    }

    /// The report of a job that cannot be run, with the reason. It counts as the report of the first run.
    package static func refusal(of id: JobID, name: String, reason: String) -> JobReport {
        let args = JobArguments([("error", .string(reason.cut(toBytes: JobLimits.argsTextBytes)))])
        return JobReport(id: id, name: name, feedback: Feedback(.error, args: args), status: .failed, run: 1)
    }
}
