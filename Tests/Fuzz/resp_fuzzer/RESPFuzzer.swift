// A libFuzzer target over RESPStream, compiled together with the codec's sources by resp_build.sh.
//
// The first byte says which side reads; the rest is the stream. It is read at once and in helpings cut by its own bytes:
// frames and failure must be the same, and nothing may be held beyond the limits.

private let limits = RESPLimits(frameBytes: 4096, elements: 64)

/// What one way of reading came to.
private struct Reading: Equatable {
    /// The frames, token by token.
    var tokens: [[UInt8]] = []
    var frames = 0
    /// Which limit, or that it was malformed: how it was may depend on where the stream was cut.
    var failure: Failure?

    enum Failure { case frameTooLarge, tooManyElements, inlineTooLong, unbalancedQuotes, malformed }

    mutating func note(_ frame: RESPFrame) {
        frames += 1
        var elements = 0
        for index in 0..<frame.tokenCount {
            let kind = frame.kind(ofToken: index)
            let value = frame.value(ofToken: index)
            precondition(frame.bytes(ofToken: index).count <= limits.frameBytes, "a string beyond the limit")
            if kind == .array { elements += value }
            tokens.append([kind.rawValue] + Array("\(value):".utf8) + Array(frame.bytes(ofToken: index)))
        }
        precondition(elements <= limits.elements, "more elements than the limit")
        precondition(frame.tokenCount <= elements + 1, "more tokens than elements")
        if let count = frame.wordCount {
            for index in 0..<count { _ = frame.text(index) }
        }
    }

    mutating func fail(_ error: RESPError) {
        failure =
            switch error {
            case .frameTooLarge: .frameTooLarge
            case .tooManyElements: .tooManyElements
            case .inlineTooLong: .inlineTooLong
            case .unbalancedQuotes: .unbalancedQuotes
            case .malformed: .malformed
            }
    }
}

/// `nextLength` gives the length of each helping.
private func read(
    _ bytes: UnsafeRawBufferPointer, _ side: RESPStream.Side, _ nextLength: (Int) -> Int
) -> Reading {
    var reading = Reading()
    let stream = RESPStream(side: side, limits: limits)
    var position = 0
    while position < bytes.count {
        let end = min(position + max(1, nextLength(position)), bytes.count)
        // A copy of its own size, so that reading beyond it is seen.
        let helping = UnsafeMutableRawBufferPointer.allocate(byteCount: end - position, alignment: 1)
        defer { helping.deallocate() }
        helping.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[position..<end]))
        do throws(RESPError) {
            try stream.consume(UnsafeRawBufferPointer(helping)) { frame in
                reading.note(frame)
                return true
            }
        } catch {
            reading.fail(error)
            return reading
        }
        // A line may be longer than a frame.
        precondition(stream.heldBytes <= max(limits.frameBytes + 64, 64 << 10), "more is held than the limit")
        position = end
    }
    return reading
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    guard let data, size > 1 else { return 0 }
    let side: RESPStream.Side = data[0] & 1 == 0 ? .server : .client
    let stream = UnsafeRawBufferPointer(start: data + 1, count: size - 1)
    let whole = read(stream, side) { _ in stream.count }
    precondition(whole == read(stream, side) { _ in 1 }, "byte by byte it reads differently")
    // The stream's own bytes cut it: each other input is cut at each other places.
    precondition(whole == read(stream, side) { Int(stream[$0] % 23) }, "in helpings it reads differently")
    let half = stream.count / 2
    precondition(whole == read(stream, side) { $0 == 0 ? half : stream.count }, "in halves it reads differently")
    return 0
}
