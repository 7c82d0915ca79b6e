/// Entries in no order, each of which knows its place, so that it comes and goes in constant time and without an
/// allocation of its own.
struct EntryList {
    /// Which of the places that an entry can have: it is in one list of each kind at most.
    enum Kind {
        /// The jobs that a node has.
        case holder
        /// The jobs whose end somebody here waits for.
        case told
    }

    private(set) var entries: [DistributorCore.Entry] = []
    private let kind: Kind

    init(_ kind: Kind) { self.kind = kind }

    var count: Int { entries.count }

    mutating func append(_ entry: DistributorCore.Entry) {
        set(Int32(truncatingIfNeeded: entries.count), of: entry)
        entries.append(entry)
    }

    /// Does nothing when the entry is not in it.
    mutating func remove(_ entry: DistributorCore.Entry) {
        let place = Int(kind == .holder ? entry.holderPlace : entry.toldPlace)
        guard entries.indices.contains(place), entries[place] === entry else { return }
        set(-1, of: entry)
        let last = entries.removeLast()
        if last !== entry {
            entries[place] = last
            set(Int32(truncatingIfNeeded: place), of: last)
        }
        // What a million jobs took is given back when they are gone.
        if entries.isEmpty, entries.capacity > 10_000 { entries = [] }
    }

    private func set(_ place: Int32, of entry: DistributorCore.Entry) {
        switch kind {
        case .holder: entry.holderPlace = place
        case .told: entry.toldPlace = place
        }
    }
}
