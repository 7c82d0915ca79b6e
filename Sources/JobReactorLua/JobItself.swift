public import JobReactorCore

extension Job {
    /// What a script sees as `args.job_itself`: the record's fields under the names of the gem, times in seconds since
    /// 1970. `node` is the node that runs the job.
    public func itself(onNode node: String) -> [UInt8] {
        var members: [(String, JSONValue)] = []
        members.reserveCapacity(JobFieldTable.ofScripts.count)
        for field in JobFieldTable.ofScripts {
            if let value = field.value(self, node) { members.append((field.name, value.json)) }
        }
        return JobArguments(members).bytes
    }
}
