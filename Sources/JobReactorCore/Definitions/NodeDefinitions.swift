/// The definitions in a node's scripts of when jobs run, for its distributors.
package struct NodeDefinitions: Hashable, Sendable {
    /// The definitions for one job.
    package struct OfJob: Hashable, Sendable {
        /// From 0 (last) to 9 (first); nil if the script sets none.
        package var priority: Int?
        /// The names of its limits; a limit of its own has the job's name.
        package var limits: [String]

        package init(priority: Int? = nil, limits: [String] = []) {
            self.priority = priority
            self.limits = limits
        }
    }

    /// By name; only jobs with a definition.
    package var jobs: [String: OfJob]
    /// In the order of their names.
    package var limits: [Limit]
    /// In the order of their names.
    package var schedules: [Schedule]

    package init(jobs: [String: OfJob] = [:], limits: [Limit] = [], schedules: [Schedule] = []) {
        self.jobs = jobs
        self.limits = limits.sorted { $0.name < $1.name }
        self.schedules = schedules.sorted { $0.name < $1.name }
    }

    package var isEmpty: Bool { jobs.isEmpty && limits.isEmpty && schedules.isEmpty }

    /// `{"jobs": {"call_api": {"priority": 9, "limits": ["crm"]}}, "limits": {"crm": {"concurrency": 10}}, "schedules": […]}`
    package var json: String {
        var members: [String: JSONValue] = [:]
        if !jobs.isEmpty {
            members["jobs"] = .object(
                jobs.mapValues { job in
                    var members: [String: JSONValue] = [:]
                    if let priority = job.priority { members["priority"] = JSONValue(priority) }
                    if !job.limits.isEmpty { members["limits"] = .array(job.limits.map { .string($0) }) }
                    return .object(members)
                })
        }
        if !limits.isEmpty {
            let pairs = limits.map { ($0.name, JSONValue.object($0.options)) }
            members["limits"] = .object(Dictionary(pairs) { _, last in last })
        }
        if !schedules.isEmpty { members["schedules"] = .array(schedules.map(\.json)) }
        return JSONValue.object(members).json
    }

    /// Reads ``json``. A limit or a schedule that this release does not accept is skipped and passed to `problems`.
    /// Throws if the bytes are not a JSON object.
    package init(json: some Sequence<UInt8>, problems: (String) -> Void = { _ in }) throws(JSONError) {
        self.init()
        let members = try JSONValue(parsing: json).object ?? [:]
        for (name, value) in (members["jobs"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            guard Name.problem(in: name) == nil else { continue }
            let priority = value["priority"]?.int.flatMap { JobPriority.range.contains($0) ? $0 : nil }
            jobs[name] = OfJob(priority: priority, limits: value["limits"]?.array?.compactMap(\.string) ?? [])
        }
        for (name, value) in (members["limits"]?.object ?? [:]).sorted(by: { $0.key < $1.key }) {
            do throws(JobError) { limits.append(try Limit(name, value.object ?? [:])) } catch {
                problems("the limit '\(name.cut(toBytes: 255))': \(error.message)")
            }
        }
        for value in members["schedules"]?.array ?? [] {
            do throws(JobError) { schedules.append(try Schedule(json: value)) } catch {
                problems("the schedule '\((value["name"]?.string ?? "").cut(toBytes: 255))': \(error.message)")
            }
        }
        schedules.sort { $0.name < $1.name }
    }
}
