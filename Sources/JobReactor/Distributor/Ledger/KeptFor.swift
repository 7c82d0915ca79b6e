internal import JobReactorCore

/// What the `distributor` of a record in a distributor's storage says: whose the job is. In a node's storage it is the name
/// of the distributor.
///
/// As text it is `producer`, `producer node`, or with two spaces `producer  node` for a node that may have the job: producer
/// and node are names and so have no space. A producer that is none, or that begins as the other forms do, stands behind the
/// count of its bytes: `=5:a b c node`. Before all of it `!` says that the job is to be cancelled. A record with nothing but `?`
/// is that of no job: it stands for one that is finished, and holds its key for a while yet.
struct KeptFor: Hashable, Sendable {
    /// The producer that waits for the outcome; empty for nobody.
    var producer: String
    /// The node that owns the job, or may; nil while none does.
    var node: String?
    /// That node has not said whether it has the job.
    var isInDoubt = false
    /// Somebody was told that the job is cancelled, while a node had it.
    var isCancelled = false
    /// The job is finished, and holds its key.
    private(set) var isHolding = false

    static let holding = {
        var kept = KeptFor(producer: "")
        kept.isHolding = true
        return kept
    }()

    init(producer: String, node: String? = nil, isInDoubt: Bool = false, isCancelled: Bool = false) {
        self.producer = producer
        self.node = node
        self.isInDoubt = isInDoubt
        self.isCancelled = isCancelled
    }

    private init(producer: String, rest: some StringProtocol) {
        isInDoubt = rest.first == " "
        node = String(rest.dropFirst(isInDoubt ? 1 : 0))
        self.producer = producer
    }

    /// The node that owns the job, and not one that may.
    var owner: String? { isInDoubt ? nil : node }

    init(_ record: Job) { self.init(text: record.distributor) }

    init(text: String) {
        guard text != Self.holdingText else {
            self = .holding
            return
        }
        let isCancelled = text.hasPrefix("!")
        self.init(plain: isCancelled ? String(text.dropFirst()) : text)
        self.isCancelled = isCancelled
    }

    private init(plain text: String) {
        if let counted = Self.counted(text) {
            self = counted
            return
        }
        let words = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        let producer = words.first.map(String.init) ?? ""
        self = words.count == 2 ? KeptFor(producer: producer, rest: words[1]) : KeptFor(producer: producer)
    }

    private static func counted(_ text: String) -> KeptFor? {
        let bytes = text.utf8
        guard bytes.first == UInt8(ascii: "="), let colon = bytes.firstIndex(of: UInt8(ascii: ":")),
            let count = Int(text[bytes.index(after: bytes.startIndex)..<colon]), count >= 0,
            let end = bytes.index(bytes.index(after: colon), offsetBy: count, limitedBy: bytes.endIndex)
        else { return nil }
        let producer = String(decoding: bytes[bytes.index(after: colon)..<end], as: UTF8.self)
        if end == bytes.endIndex { return KeptFor(producer: producer) }
        guard bytes[end] == UInt8(ascii: " ") else { return nil }
        let rest = String(decoding: bytes[bytes.index(after: end)...], as: UTF8.self)
        return KeptFor(producer: producer, rest: rest)
    }

    private static let holdingText = "?"

    var text: String {
        if isHolding { return Self.holdingText }
        let isPlain = producer.isEmpty && node == nil || Name.problem(in: producer) == nil && !isMarked(producer)
        let first = (isCancelled ? "!" : "") + (isPlain ? producer : "=\(producer.utf8.count):\(producer)")
        return node.map { "\(first)\(isInDoubt ? "  " : " ")\($0)" } ?? first
    }

    private func isMarked(_ producer: String) -> Bool {
        producer.hasPrefix("=") || producer.hasPrefix("!") || producer == Self.holdingText
    }
}
