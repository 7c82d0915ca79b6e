internal import JobReactorCore

/// What the `distributor` of a record in a distributor's storage says: whose the job is. In a node's storage it is the name
/// of the distributor.
struct KeptFor {
    /// The producer that waits for the outcome; empty for nobody.
    var producer: String
    /// The node that owns the job; nil while none does.
    var node: String?

    init(producer: String, node: String? = nil) {
        self.producer = producer
        self.node = node
    }

    init(_ record: Job) {
        let words = record.distributor.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        producer = words.first.map(String.init) ?? ""
        node = words.count == 2 ? String(words[1]) : nil
    }

    var text: String { node.map { "\(producer) \($0)" } ?? producer }
}
