internal import CLuaShim
internal import JobReactorCore

/// What the scripts in a state define, put together.
extension ScriptReport {
    /// Adds all of it. False when memory ran out.
    mutating func addDefinitions(of state: OpaquePointer) -> Bool {
        let isListed = withUnsafeMutablePointer(to: &self) { report in
            jr_join_definitions(state, report) { context, severity, message, length in
                let text = String(decoding: UnsafeRawBufferPointer(start: message, count: length), as: UTF8.self)
                ScriptReport.at(context) {
                    $0.problems.append(Problem(isError: severity == JR_PROBLEM_ERROR, message: text))
                }
            }
                && jr_list_declarations(state, report) { context, declaration in
                    ScriptReport.at(context) { $0.add(declaration.pointee) }
                }
                && jr_list_jobs(state, report) { context, job in ScriptReport.at(context) { $0.add(job.pointee) } }
        }
        if isListed { join() }
        return isListed
    }

    private static func at(_ context: UnsafeMutableRawPointer?, _ body: (inout ScriptReport) -> Void) {
        if let context { body(&context.assumingMemoryBound(to: ScriptReport.self).pointee) }
    }

    private mutating func add(_ declaration: jr_declaration) {
        let (file, line) = (String(cString: declaration.file), Int(declaration.line))
        switch ScriptDeclaration(String(cString: declaration.word), kept: declaration.text.array) {
        case .schedule(let schedule): schedules.append(ScheduleDefinition(schedule: schedule, file: file, line: line))
        case .limit(let limit): limits.append(LimitDefinition(limit: limit, file: file, line: line))
        case .jobLimits, nil: break
        }
    }

    private mutating func add(_ job: jr_job_definition) {
        var definition = Definition(job)
        if job.limits.bytes != nil,
            case .jobLimits(let names, let own)? = ScriptDeclaration("job", kept: job.limits.array)
        {
            definition.policy.limits = names + (own.map { [$0.name] } ?? [])
            if let own { limits.append(LimitDefinition(limit: own, file: definition.file, line: definition.line)) }
        }
        definitions.append(definition)
    }

    // MARK: Joining

    /// Of schedules and limits with one name the first stands; what has no effect, or misses something, is told.
    mutating func join() {
        schedules = standing(
            schedules.map { ($0.schedule.name, $0.schedule, Self.place($0.file, $0.line), $0) }, "schedule")
        limits = standing(limits.map { ($0.limit.name, $0.limit, Self.place($0.file, $0.line), $0) }, "limit")
        joinLimits()
        // A script that is left out may define what is missed.
        if broken.isEmpty { lookForJobs() }
    }

    private static func place(_ file: String, _ line: Int) -> String { "\(file):\(line)" }

    private mutating func standing<Value: Equatable, Found>(
        _ all: [(name: String, value: Value, place: String, definition: Found)], _ kind: String
    ) -> [Found] {
        var first: [String: (value: Value, place: String, definition: Found)] = [:]
        for (name, value, place, definition) in all {
            guard let other = first[name] else {
                first[name] = (value, place, definition)
                continue
            }
            guard other.value != value else { continue }
            problems.append(
                Problem(
                    isError: true,
                    message: "\(place): the \(kind) '\(name)' is defined otherwise at \(other.place), which counts"))
        }
        return first.sorted { $0.key < $1.key }.map(\.value.definition)
    }

    private mutating func joinLimits() {
        let defined = Set(limits.map(\.limit.name))
        var used: Set<String> = []
        for index in definitions.indices {
            let job = definitions[index]
            used.formUnion(job.policy.limits)
            for name in job.policy.limits where !defined.contains(name) {
                let near = NearestName.find(name, among: defined.sorted()).map { " (did you mean '\($0)'?)" } ?? ""
                problems.append(
                    Problem(
                        isError: true,
                        message:
                            "\(Self.place(job.file, job.line)): no script defines the limit '\(name)' of job '\(job.name)'\(near)"
                    ))
            }
            definitions[index].policy.limits.removeAll { !defined.contains($0) }
        }
        for limit in limits where !used.contains(limit.limit.name) {
            problems.append(
                Problem(
                    isError: false,
                    message: "\(Self.place(limit.file, limit.line)): no job has the limit '\(limit.limit.name)'"))
        }
    }

    /// A name that is near to that of a job is a mistake; else a node with other scripts may define it.
    private mutating func lookForJobs() {
        let names = definitions.map(\.name)
        let defined = Set(names)
        for schedule in schedules where !defined.contains(schedule.schedule.job) {
            let near = NearestName.find(schedule.schedule.job, among: names)
            let rest = near.map { " (did you mean '\($0)'?)" } ?? ": it waits until a node with other scripts does"
            problems.append(
                Problem(
                    isError: false,
                    message: "\(Self.place(schedule.file, schedule.line)): no script defines the job"
                        + " '\(schedule.schedule.job)' of the schedule '\(schedule.schedule.name)'\(rest)",
                    failsCheck: near != nil))
        }
    }
}

extension ScriptReport.Definition {
    fileprivate init(_ job: jr_job_definition) {
        name = String(
            decoding: UnsafeRawBufferPointer(start: job.name, count: job.name_length), as: UTF8.self)
        file = String(cString: job.file)
        line = Int(job.line)
        callbacks = Int(job.callbacks)
        errbacks = Int(job.errbacks)
        policy = ScriptPolicy(
            maxAttempt: job.max_attempt.isNaN ? nil : Int(exactly: job.max_attempt),
            retryMultiplier: job.retry_multiplier.isNaN ? nil : job.retry_multiplier,
            backoff: RetryBackoff(job.backoff), jitter: job.jitter.isNaN ? nil : job.jitter,
            maxRetryDelay: job.max_retry_delay.isNaN ? nil : job.max_retry_delay,
            timeout: job.timeout.isNaN ? nil : job.timeout,
            priority: job.priority.isNaN ? nil : Int(exactly: job.priority))
    }
}

extension RetryBackoff {
    /// Nil where the script says nothing, and for a function: its answer comes with the outcome.
    fileprivate init?(_ backoff: jr_backoff) {
        switch backoff {
        case JR_BACKOFF_LINEAR: self = .linear
        case JR_BACKOFF_EXPONENTIAL: self = .exponential
        default: return nil
        }
    }
}
