import Testing

@testable import JobReactorCommand

@Suite struct LineRingTests {
    private enum Step {
        case add(String)
        /// What is to be written next, nil for nothing.
        case next(String?)
        /// What was taken last cannot be written.
        case fail
    }

    /// So that four such lines, with their ends, fill a ring of 40 bytes.
    private static func line(_ number: Int) -> String { "line 000\(number)" }

    private static func lines(_ numbers: ClosedRange<Int>) -> String { numbers.map { line($0) + "\n" }.joined() }

    /// A line that fills a piece alone.
    private static func large(_ letter: Character) -> String {
        String(repeating: letter, count: LineRing.pieceBytes - 1)
    }

    private static func run(_ steps: [Step], room capacity: Int, sourceLocation: SourceLocation = #_sourceLocation) {
        var ring = LineRing(capacity: capacity) { "\($0) lost" }
        var taken: LineRing.Piece?
        for (number, step) in steps.enumerated() {
            switch step {
            case .add(let line): ring.add(line)
            case .next(let text):
                taken = ring.next()
                #expect(
                    taken.map { String(decoding: $0.bytes, as: UTF8.self) } == text, "step \(number)",
                    sourceLocation: sourceLocation)
            case .fail:
                if let taken { ring.fail(taken) }
            }
        }
    }

    @Test("lines go out whole and in their order, as many together as a pipe takes in one piece")
    func order() {
        Self.run(
            [
                .next(nil), .add("one"), .add(""), .add("three\n    and more"),
                .next("one\n\nthree\n    and more\n"), .next(nil), .add("four"), .next("four\n"), .next(nil),
            ], room: 40)
        Self.run(
            [
                .add(Self.large("a")), .add("b"), .add(Self.large("c")), .next(Self.large("a") + "\n"),
                .next("b\n"), .next(Self.large("c") + "\n"), .next(nil),
            ], room: 1 << 20)
    }

    @Test("what is lost is counted once, however it was lost") func counted() {
        var ring = LineRing(capacity: 40) { "\($0) lost" }
        for number in 1...6 { ring.add(Self.line(number)) }
        #expect(ring.dropped == 2)
        _ = ring.next()
        ring.add(Self.line(7))
        #expect(ring.dropped == 3)
        _ = ring.next()
        ring.add(Self.line(8))
        #expect(ring.dropped == 3)
        if let piece = ring.next() { ring.fail(piece) }
        #expect(ring.dropped == 4)
        ring.add(Self.line(9))
        // What tells of that one is lost with the line behind it.
        if let piece = ring.next() { ring.fail(piece) }
        #expect(ring.dropped == 5)
    }

    @Test("what has no room is dropped, and told of where it would have stood")
    func full() {
        Self.run(
            (1...6).map { .add(Self.line($0)) } + [
                .next(Self.lines(1...4)),
                // The piece has its room until it has been written.
                .add(Self.line(7)), .next("3 lost\n"), .next(nil),
                .add(Self.line(8)), .next(Self.line(8) + "\n"), .next(nil),
            ], room: 40)
    }

    @Test("once full, it takes lines again when half of the room is free")
    func half() {
        let room = 4 * LineRing.pieceBytes
        Self.run(
            "abcde".map { .add(Self.large($0)) } + [
                .next(Self.large("a") + "\n"), .next(Self.large("b") + "\n"), .add(Self.large("f")), .add("small"),
                .next(Self.large("c") + "\n"), .add(Self.large("g")), .next(Self.large("d") + "\n"),
                .next("3 lost\n"), .next(Self.large("g") + "\n"), .next(nil),
            ], room: room)
    }

    @Test("what a failed write has lost is told of with the next line, and not before")
    func failure() {
        Self.run(
            [
                .add("one"), .add("two"), .next("one\ntwo\n"), .add("three"), .fail, .next(nil), .next(nil),
                .add("four"), .next("3 lost\nfour\n"),
                // The notice is lost, and what it told of with it.
                .fail, .next(nil), .add("five"), .next("4 lost\nfive\n"), .next(nil),
            ], room: 40)
        Self.run(
            (1...6).map { .add(Self.line($0)) } + [
                .next(Self.lines(1...4)), .fail, .add("seven"), .next("6 lost\nseven\n"), .next(nil),
            ], room: 40)
    }

    @Test("a line of more than a quarter of the room is cut")
    func long() {
        var ring = LineRing(capacity: 8192) { "\($0) lost" }
        ring.add(String(repeating: "x", count: 9000))
        let piece = ring.next()
        #expect(piece?.bytes.count == 2049)
        let text = piece.map { String(decoding: $0.bytes, as: UTF8.self) }
        #expect(text?.hasSuffix("x… (cut: the text has 9000 bytes, the limit is 2048)\n") == true)
    }
}
