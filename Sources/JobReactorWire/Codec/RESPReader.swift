private import CHiredis

#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// Turns a stream of bytes, cut anywhere, into RESP frames: hiredis' reader with object functions of ours, which make
/// no tree but append to one flat, reused frame and stop at the limits.
///
/// Not thread-safe.
final class RESPReader {
    /// May change between any two frames.
    var limits: RESPLimits { didSet { builder.pointee.limits = limits } }
    private let builder: UnsafeMutablePointer<FrameBuilder>
    private var reader: UnsafeMutablePointer<redisReader>?
    /// The text of a status or error is under way: hiredis is not asked before its end is there.
    private var lacksLineEnd = false
    private var lastByte: UInt8 = 0
    /// hiredis' buffer has grown, and is given back when what was in it is read.
    private var isSwollen = false

    /// Far more than the longest number and its line end.
    private static let numberBytes = 32
    private static let usualBuffer = 64 << 10

    init(limits: RESPLimits) {
        self.limits = limits
        builder = .allocate(capacity: 1)
        builder.initialize(to: FrameBuilder(limits: limits))
        makeReader()
    }

    deinit {
        if let reader { redisReaderFree(reader) }
        builder.pointee.deallocate()
        builder.deinitialize(count: 1)
        builder.deallocate()
    }

    /// Bytes that were fed and not yet made part of a frame.
    var bufferedBytes: Int { reader.map { $0.pointee.len - $0.pointee.pos } ?? 0 }

    /// As ``bufferedBytes``, and the bytes of the frame that is being made or was made last.
    var heldBytes: Int { bufferedBytes + builder.pointee.used }

    /// Whether the last frame is complete, so that what comes next starts another.
    var isBetweenFrames: Bool { reader.map { $0.pointee.ridx == -1 } ?? true }

    /// The first byte that was fed and not yet read.
    var nextByte: UInt8? {
        guard let reader, bufferedBytes > 0 else { return nil }
        return UInt8(bitPattern: reader.pointee.buf[reader.pointee.pos])
    }

    /// Takes a copy of the bytes.
    func feed(_ bytes: UnsafeRawBufferPointer) throws(RESPError) {
        guard let reader,
            redisReaderFeed(reader, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count) == REDIS_OK
        else { throw .malformed("out of memory") }
        if lacksLineEnd { lacksLineEnd = !endsLine(bytes) }
        lastByte = bytes.last ?? lastByte
        if bufferedBytes > Self.usualBuffer { isSwollen = true }
    }

    /// The next complete frame; nil when more bytes are needed. The frame before is gone.
    func next() throws(RESPError) -> RESPFrame? {
        guard let reader else { throw .malformed("out of memory") }
        if isBetweenFrames {
            builder.pointee.reset()
            // Asked without a byte, hiredis would start a frame, and an inline command could not follow.
            if bufferedBytes == 0 {
                if isSwollen { discardBuffered() }
                return nil
            }
        }
        if !lacksLineEnd {
            var reply: UnsafeMutableRawPointer?
            guard redisReaderGetReply(reader, &reply) == REDIS_OK else {
                if let failure = builder.pointee.failure { throw failure }
                throw .malformed(
                    withUnsafeBytes(of: reader.pointee.errstr) { text in
                        String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
                    })
            }
            if reply != nil { return RESPFrame(builder) }
            try watchLine(reader)
        }
        // What is announced but not here yet grows only by what was fed: watch that.
        guard bufferedBytes + builder.pointee.used <= limits.frameBytes + 64 else {
            throw .frameTooLarge(limit: limits.frameBytes)
        }
        return nil
    }

    /// hiredis looks through the whole of an unfinished line each time it is asked: one that came in drops would cost
    /// the square of its length.
    private func watchLine(_ reader: UnsafeMutablePointer<redisReader>) throws(RESPError) {
        guard bufferedBytes > 0, reader.pointee.ridx >= 0 else { return }
        let depth = Int(reader.pointee.ridx)
        let type = withUnsafeBytes(of: &reader.pointee.rstack) { $0.bindMemory(to: redisReadTask.self)[depth].type }
        let number: String
        switch type {
        case REDIS_REPLY_STATUS, REDIS_REPLY_ERROR:
            lacksLineEnd = true
            return
        case REDIS_REPLY_STRING:
            number = "bulk string length"
            if announcedLength(reader) > limits.frameBytes { throw .frameTooLarge(limit: limits.frameBytes) }
        case REDIS_REPLY_ARRAY: number = "multi-bulk length"
        case REDIS_REPLY_INTEGER: number = "integer value"
        default: return
        }
        guard bufferedBytes >= Self.numberBytes else { return }
        let start = UnsafeRawBufferPointer(start: reader.pointee.buf + reader.pointee.pos, count: Self.numberBytes)
        guard zip(start, start.dropFirst()).contains(where: { $0 == 0x0D && $1 == 0x0A }) else {
            throw .malformed("Bad \(number)")
        }
    }

    /// The length that begins what was fed and not yet read; 0 while its line is not complete.
    private func announcedLength(_ reader: UnsafeMutablePointer<redisReader>) -> Int {
        let start = UnsafeRawBufferPointer(
            start: reader.pointee.buf + reader.pointee.pos, count: min(bufferedBytes, Self.numberBytes))
        var length = 0
        for (index, byte) in start.enumerated() {
            // What comes before the whole line end hiredis has not judged yet.
            if byte == 0x0D { return index + 1 < start.count && start[index + 1] == 0x0A ? length : 0 }
            guard (0x30...0x39).contains(byte) else { return 0 }
            if length < 1 << 50 { length = 10 * length + Int(byte - 0x30) }
        }
        return 0
    }

    /// Whether a line end is among the bytes, or ends with their first.
    private func endsLine(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var previous = lastByte
        for byte in bytes {
            if byte == 0x0A && previous == 0x0D { return true }
            previous = byte
        }
        return false
    }

    /// A frame made of words, as if they had come as an array.
    func frame(ofWords words: [[UInt8]]) throws(RESPError) -> RESPFrame {
        builder.pointee.reset()
        var isWithin = builder.pointee.append(.array, value: words.count)
        for word in words {
            isWithin = word.withUnsafeBytes { builder.pointee.append(.bulk, $0) } && isWithin
        }
        if !isWithin, let failure = builder.pointee.failure { throw failure }
        return RESPFrame(builder)
    }

    /// Forgets what was fed and not yet read.
    func discardBuffered() {
        if let reader { redisReaderFree(reader) }
        builder.pointee.reset()
        lacksLineEnd = false
        isSwollen = false
        makeReader()
    }

    private func makeReader() {
        // The reader only reads the table, and it lives as long as the process.
        reader = redisReaderCreateWithFunctions(objectFunctions)
        reader?.pointee.privdata = UnsafeMutableRawPointer(builder)
    }
}

/// hiredis wants an object for everything it reads and only tests it for NULL.
private var anObject: UnsafeMutableRawPointer? { UnsafeMutableRawPointer(bitPattern: 1) }

private func builder(of task: UnsafePointer<redisReadTask>?) -> UnsafeMutablePointer<FrameBuilder>? {
    task?.pointee.privdata?.assumingMemoryBound(to: FrameBuilder.self)
}

// Written once before its first use and only read after that, by any thread.
private nonisolated(unsafe) let objectFunctions: UnsafeMutablePointer<redisReplyObjectFunctions> = {
    let functions = UnsafeMutablePointer<redisReplyObjectFunctions>.allocate(capacity: 1)
    functions.initialize(
        to: redisReplyObjectFunctions(
            createString: { task, text, length in
                let kind: RESPFrame.Kind =
                    switch task?.pointee.type {
                    case REDIS_REPLY_STATUS: .simple
                    case REDIS_REPLY_ERROR: .error
                    default: .bulk
                    }
                let bytes = UnsafeRawBufferPointer(start: text, count: length)
                return builder(of: task)?.pointee.append(kind, bytes) == true ? anObject : nil
            },
            createArray: { task, count in
                builder(of: task)?.pointee.append(.array, value: Int(count)) == true ? anObject : nil
            },
            createInteger: { task, value in
                builder(of: task)?.pointee.append(.integer, value: Int(value)) == true ? anObject : nil
            },
            createNil: { task in
                builder(of: task)?.pointee.append(.null, value: 0) == true ? anObject : nil
            },
            freeObject: { _ in }))
    return functions
}()
