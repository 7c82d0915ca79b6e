internal import JobReactorCore
internal import JobReactorLua

/// How the node treats each job: its own policy, what the scripts in use say of a name, and what the job says of itself. A
/// value without I/O.
struct JobPolicies {
    private let common: JobPolicy
    private var byName: [String: ScriptPolicy] = [:]
    /// What was found last.
    private var last: (name: String, policy: ScriptPolicy?)?
    /// Whether any run may have a limit of time.
    private(set) var haveTimeouts: Bool
    /// The limits that scripts define, by their names.
    private var limits: [String: Limit] = [:]
    /// Whether any job has limits.
    private(set) var haveLimits = false
    /// Whether any script says how urgent its jobs are.
    private var havePriorities = false
    /// Those that the scripts define, in their order.
    private(set) var names: [String] = []

    init(_ common: JobPolicy) {
        self.common = common
        haveTimeouts = common.timeout != nil
    }

    /// Other scripts are in use.
    mutating func use(_ definitions: [ScriptReport.Definition], _ limits: [Limit] = []) {
        self.limits = Dictionary(limits.map { ($0.name, $0) }) { _, last in last }
        haveLimits = definitions.contains { !$0.policy.limits.isEmpty }
        byName = Dictionary(definitions.map { ($0.name, $0.policy) }) { _, last in last }
        last = nil
        names = definitions.map(\.name)
        haveTimeouts = common.timeout != nil || byName.values.contains { $0.timeout != nil }
        havePriorities = byName.values.contains { $0.priority != nil }
    }

    subscript(job: Job) -> JobPolicy { common.applying(byName[job.name], job) }

    /// As the subscript, and faster where jobs of one name come one after the other, as they tend to.
    mutating func policy(of job: Job) -> JobPolicy {
        if let last, last.name == job.name { return common.applying(last.policy, job) }
        let policy = byName[job.name]
        last = (job.name, policy)
        return common.applying(policy, job)
    }

    /// How urgent the job is: as its producer says, else its script.
    func priority(of job: Job) -> Int {
        if let priority = job.priority { return priority }
        return havePriorities ? byName[job.name]?.priority ?? JobPriority.usual : JobPriority.usual
    }

    /// The parts of limits that a run of the job needs.
    func needs(of job: Job) -> [LimitNeed] {
        guard haveLimits, let names = byName[job.name]?.limits, !names.isEmpty else { return [] }
        return names.compactMap { limits[$0]?.need(of: job.args) }
    }

    /// The name of a script that people read as this one, and that has other bytes.
    func lookalike(of name: String) -> String? {
        names.first { $0 == name && !$0.utf8.elementsEqual(name.utf8) }
    }
}
