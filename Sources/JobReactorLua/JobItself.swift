public import JobReactorCore

extension Job {
    /// The content of `args.job_itself` for a script: the fields of the record under the names of the gem, with times as
    /// seconds since 1970. `node` is the node that runs the job.
    public func itself(onNode node: String) -> [UInt8] {
        var members: [(String, JSONValue)] = []
        members.reserveCapacity(JobFieldTable.ofScripts.count)
        for field in JobFieldTable.ofScripts {
            if let value = field.value(self, node) { members.append((field.name, value.json)) }
        }
        return JobArguments(members).bytes
    }
}
