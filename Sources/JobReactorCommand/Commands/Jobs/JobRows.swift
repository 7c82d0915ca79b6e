internal import JobReactor
internal import JobReactorCore

/// Jobs as rows of a table for people.
struct JobRows {
    private let jobs: [JobMonitor.Found]
    private let clock: LocalTime
    /// How many digits of an id tell it from the others here.
    private let digits: Int

    /// `isCut`: ids are shown only so far as they tell the jobs apart.
    init(_ jobs: [JobMonitor.Found], _ clock: LocalTime, isCut: Bool) {
        self.jobs = jobs
        self.clock = clock
        digits = isCut ? Self.digits(jobs.map(\.job.id)) : 32
    }

    /// As many as all ids need to differ; 8 at least.
    static func digits(_ ids: [JobID]) -> Int {
        let texts = Set(ids).sorted().map(\.description)
        return zip(texts, texts.dropFirst()).reduce(8) { most, pair in
            max(most, zip(pair.0, pair.1).prefix { $0 == $1 }.count + 1)
        }
    }

    /// `width`: characters in a line; nil for any number.
    func table(width: Int?) -> TextTable {
        var table = TextTable(
            ["ID", "JOB", "STATUS", "ATTEMPT", "AGE", "FAILED", "RUN TIME", "NODE", "DOING", "WAITS FOR", "ERROR"],
            numbers: [3, 4, 6])
        for found in jobs {
            let job = found.job
            table.add([
                String(job.id.description.prefix(digits)), job.name, found.status, "\(job.attempt)",
                job.madeAt.map(clock.age) ?? "", job.failedAt.map(clock.short) ?? "",
                JobTimes(job, clock.now).ran.map(LocalTime.duration) ?? "", found.node ?? found.owner.name,
                job.doing ?? "", found.waiting(clock) ?? "", ErrorLine.first(job.lastError ?? ""),
            ])
        }
        let most = width ?? 1000
        return table.withoutEmpty(["FAILED", "RUN TIME", "DOING", "WAITS FOR", "ERROR"]).fitted(to: most) {
            text, room in
            ErrorLine.short(text, width: room)
        }
    }
}

/// What the times of a record say together.
struct JobTimes {
    /// Seconds that the last run took, or has taken so far; nil where that is not known.
    let ran: Double?

    init(_ job: Job, _ now: Timestamp) {
        self.init(job.status, began: job.runAt, failed: job.failedAt, waitsForLane: job.waitsForLane, now)
    }

    init(_ status: JobStatus, began: Timestamp?, failed: Timestamp?, waitsForLane: Bool, _ now: Timestamp) {
        switch (status, began, failed) {
        // The run is noted as begun, and has not.
        case _ where waitsForLane: ran = nil
        case (.inProgress, let begin?, _): ran = max(0, now.seconds - begin.seconds)
        case (_, let begin?, let end?) where end >= begin: ran = end.seconds - begin.seconds
        default: ran = nil
        }
    }

    /// Whether it says of a job that its turn on its node's lane has not come.
    static func isWaiting(_ doing: String) -> Bool { doing.hasPrefix("waiting") }
}

extension LocalTime {
    /// Until when a job of that status waits for its time, in words; nil where it does not.
    func wait(of status: JobStatus, dueAt: Timestamp) -> String? {
        guard !status.isFinished, status != .inProgress, dueAt > now else { return nil }
        return "not before \(short(dueAt)) (in \(Self.wait(dueAt.seconds - now.seconds)))"
    }
}

extension Job {
    fileprivate var waitsForLane: Bool { doing.map(JobTimes.isWaiting) ?? false }
}

extension JobMonitor.Found {
    /// In a list: of a job whose turn on its lane has not come, that it waits.
    fileprivate var status: String { job.waitsForLane ? "waiting" : job.status.rawValue }

    /// What the job waits for, in words; nil where it does not wait.
    func waiting(_ clock: LocalTime) -> String? {
        guard !job.status.isFinished else { return nil }
        var parts = [clock.wait(of: job.status, dueAt: job.dueAt), waitsFor].compactMap(\.self)
        if !owner.isOpen { parts.append("its \(owner.role.rawValue) \(owner.name) is away") }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
    }
}
