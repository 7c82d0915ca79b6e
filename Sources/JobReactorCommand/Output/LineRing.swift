private import JobReactorCore

/// Lines for a reader who may stop reading. They wait here as long as there is room for them; then the newest are dropped,
/// and a line that stands where they would have stood says how many.
struct LineRing: Sendable {
    /// Whole lines that go out together.
    struct Piece: Hashable, Sendable {
        fileprivate(set) var bytes: [UInt8]
        /// How many lines are lost when the piece is. One that tells of lines that were dropped stands for them.
        fileprivate(set) var lines: Int
        /// Those of them that are whole lines, and not told of in one.
        fileprivate var wholeLines: Int
    }

    private enum State {
        /// Nothing has been lost that a line does not tell of.
        case whole
        /// So many lines have found no room. They are told of before the next line that is taken, which is when half of
        /// the room is free, or when all that stands before them has been written: then it is `whole` again.
        case dropping(Int)
        /// A write has failed, and with it so many lines. They are told of before the next line: then it is `whole` again.
        case failed(Int)
    }

    /// What one write puts into a pipe in one piece, also where other processes write to the same.
    static let pieceBytes = 4096

    /// The room for lines that have not been written, in bytes of UTF-8. Notices of dropped lines come on top.
    let capacity: Int
    private let notice: @Sendable (Int) -> String
    /// Lines that were lost, since the beginning.
    private(set) var dropped = 0
    private var state = State.whole
    private var pieces: [Piece] = []
    /// Bytes of the pieces, and of the one that was taken last.
    private var held = 0
    private var taken = 0

    /// `notice` makes the line that tells how many were dropped.
    init(capacity: Int, notice: @escaping @Sendable (Int) -> String) {
        self.capacity = capacity
        self.notice = notice
    }

    /// A line without its end. One that would take more than a quarter of the room is cut.
    mutating func add(_ line: String) {
        let line = line.cut(toBytes: max(100, capacity / 4))
        let size = line.utf8.count + 1
        switch state {
        case .whole:
            guard held + size <= capacity else { return drop(after: 0) }
        case .dropping(let count):
            guard held <= capacity / 2, held + size <= capacity else { return drop(after: count) }
            tell(of: count)
        case .failed(let count):
            tell(of: count)
        }
        append(line, lines: 1, wholeLines: 1)
    }

    private mutating func drop(after count: Int) {
        dropped += 1
        state = .dropping(count + 1)
    }

    /// What is to be written next; it keeps its room until the next call. Nil when there is nothing.
    mutating func next() -> Piece? {
        held -= taken
        taken = 0
        if pieces.isEmpty, case .dropping(let count) = state { tell(of: count) }
        guard !pieces.isEmpty else { return nil }
        let piece = pieces.removeFirst()
        taken = piece.bytes.count
        return piece
    }

    /// The piece that was taken last could not be written. What waits behind it is lost too: its reader is gone.
    mutating func fail(_ piece: Piece) {
        let earlier =
            switch state {
            case .whole: 0
            case .dropping(let count), .failed(let count): count
            }
        state = .failed(pieces.reduce(earlier + piece.lines) { $0 + $1.lines })
        dropped += pieces.reduce(piece.wholeLines) { $0 + $1.wholeLines }
        pieces = []
        held = 0
        taken = 0
    }

    private mutating func tell(of count: Int) {
        state = .whole
        append(notice(count), lines: count, wholeLines: 0)
    }

    private mutating func append(_ line: String, lines: Int, wholeLines: Int) {
        let size = line.utf8.count + 1
        held += size
        if let last = pieces.indices.last, pieces[last].bytes.count + size <= Self.pieceBytes {
            pieces[last].bytes.append(contentsOf: line.utf8)
            pieces[last].bytes.append(UInt8(ascii: "\n"))
            pieces[last].lines += lines
            pieces[last].wholeLines += wholeLines
        } else {
            pieces.append(
                Piece(bytes: Array(line.utf8) + [UInt8(ascii: "\n")], lines: lines, wholeLines: wholeLines))
        }
    }
}
