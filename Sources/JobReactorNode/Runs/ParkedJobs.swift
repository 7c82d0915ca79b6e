internal import JobReactorCore

/// Of a durable node: jobs that no script defines, by their names, until one does. A value without I/O.
struct ParkedJobs {
    private var byName: [String: Set<JobID>] = [:]

    var count: Int { byName.values.reduce(0) { $0 + $1.count } }

    mutating func insert(_ id: JobID, named name: String) { byName[name, default: []].insert(id) }

    func contains(_ id: JobID) -> Bool { byName.values.contains { $0.contains(id) } }

    func contains(_ id: JobID, named name: String) -> Bool { byName[name]?.contains(id) == true }

    /// False when the job is not among them.
    mutating func remove(_ id: JobID) -> Bool {
        guard let name = byName.first(where: { $0.value.contains(id) })?.key else { return false }
        byName[name]?.remove(id)
        return true
    }

    /// Removes and returns those of these names.
    mutating func take(_ names: Set<String>) -> [(name: String, ids: Set<JobID>)] {
        byName.keys.filter(names.contains).compactMap { name in
            byName.removeValue(forKey: name).map { (name, $0) }
        }
    }
}
