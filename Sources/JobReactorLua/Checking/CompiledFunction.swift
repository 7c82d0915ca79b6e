/// One function of a compiled chunk, as Lua 5.4 writes it, with those inside it.
struct CompiledFunction {
    enum Constant {
        case string(String)
        case other
    }

    /// Where a function finds a variable of those around it.
    struct Upvalue {
        /// A register of the function around it; else an upvalue of that.
        var isRegister: Bool
        var index: Int
    }

    /// How many parameters it has; they are its first registers.
    var parameters = 0
    var code: [Instruction] = []
    var constants: [Constant] = []
    var upvalues: [Upvalue] = []
    var functions: [CompiledFunction] = []
    /// The line of each instruction.
    var lines: [Int] = []

    /// Nil where the bytes are not what this Lua writes: another version, or damaged.
    init?(chunk: [UInt8]) {
        var reader = ChunkReader(chunk)
        // Signature, version 5.4, the official format, bytes that transfers as text would change, and the sizes and the
        // layout of instructions, integers and floats.
        let head: [UInt8] =
            [0x1B, 0x4C, 0x75, 0x61, 0x54, 0, 0x19, 0x93, 0x0D, 0x0A, 0x1A, 0x0A, 4, 8, 8]
            + [0x78, 0x56, 0, 0, 0, 0, 0, 0] + [0, 0, 0, 0, 0, 0x28, 0x77, 0x40]
        guard let found = reader.take(head.count), found.elementsEqual(head), let upvalues = reader.byte(),
            let function = CompiledFunction(&reader, depth: 0), reader.isAtEnd, function.upvalues.count == upvalues
        else { return nil }
        self = function
    }

    /// Lua's own limit on functions in functions is lower.
    private static let mostDepth = 255

    private init?(_ reader: inout ChunkReader, depth: Int) {
        guard depth <= Self.mostDepth, reader.string() != nil, let line = reader.number(), reader.number() != nil,
            let parameters = reader.byte(),
            // Whether there are varargs, and the number of registers.
            reader.skip(2), readCode(&reader), readConstants(&reader), readUpvalues(&reader),
            let count = reader.count(ofAtLeast: 1)
        else { return nil }
        self.parameters = Int(parameters)
        for _ in 0..<count {
            guard let function = CompiledFunction(&reader, depth: depth + 1) else { return nil }
            functions.append(function)
        }
        guard readLines(&reader, from: line), Self.skipNames(&reader) else { return nil }
    }

    private mutating func readCode(_ reader: inout ChunkReader) -> Bool {
        guard let count = reader.count(ofAtLeast: 4) else { return false }
        for _ in 0..<count {
            guard let word = reader.instruction() else { return false }
            let instruction = Instruction(word: word)
            guard instruction.code <= Instruction.lastCode else { return false }
            code.append(instruction)
        }
        return true
    }

    private mutating func readConstants(_ reader: inout ChunkReader) -> Bool {
        guard let count = reader.count(ofAtLeast: 1) else { return false }
        for _ in 0..<count {
            switch reader.byte() {
            // nil, false, true
            case 0x00, 0x01, 0x11: constants.append(.other)
            // Integers and floats.
            case 0x03, 0x13:
                guard reader.skip(8) else { return false }
                constants.append(.other)
            // Short and long strings.
            case 0x04, 0x14:
                guard case .some(.some(let text)) = reader.string() else { return false }
                constants.append(.string(text))
            default: return false
            }
        }
        return true
    }

    private mutating func readUpvalues(_ reader: inout ChunkReader) -> Bool {
        guard let count = reader.count(ofAtLeast: 3) else { return false }
        for _ in 0..<count {
            guard let isRegister = reader.byte(), let index = reader.byte(), reader.skip(1) else { return false }
            upvalues.append(Upvalue(isRegister: isRegister != 0, index: Int(index)))
        }
        return true
    }

    /// Most lines are kept as the difference from the one before, those far away as they are, in a list of their own.
    private mutating func readLines(_ reader: inout ChunkReader, from first: Int) -> Bool {
        guard let count = reader.count(ofAtLeast: 1), let steps = reader.take(count),
            let farCount = reader.count(ofAtLeast: 2)
        else { return false }
        var far: [Int: Int] = [:]
        for _ in 0..<farCount {
            guard let instruction = reader.number(), let line = reader.number() else { return false }
            far[instruction] = line
        }
        var line = first
        for (index, step) in steps.enumerated() {
            if step == 0x80 {
                guard let there = far[index] else { return false }
                line = there
            } else {
                line = line &+ Int(Int8(bitPattern: step))
            }
            lines.append(line)
        }
        return lines.count == code.count
    }

    /// The names of locals, and of upvalues.
    private static func skipNames(_ reader: inout ChunkReader) -> Bool {
        guard let locals = reader.count(ofAtLeast: 3) else { return false }
        for _ in 0..<locals {
            guard reader.string() != nil, reader.number() != nil, reader.number() != nil else { return false }
        }
        guard let upvalues = reader.count(ofAtLeast: 1) else { return false }
        for _ in 0..<upvalues {
            guard reader.string() != nil else { return false }
        }
        return true
    }

    /// Which upvalues of a function inside this one are the table of globals, when those of this one are `globals`.
    func globals(in inner: CompiledFunction, _ globals: Set<Int>) -> Set<Int> {
        Set(
            inner.upvalues.indices.filter { index in
                let upvalue = inner.upvalues[index]
                return !upvalue.isRegister && globals.contains(upvalue.index)
            })
    }

    /// The string among the constants; nil for any other, and for none.
    func string(_ index: Int) -> String? {
        guard constants.indices.contains(index), case .string(let text) = constants[index] else { return nil }
        return text
    }
}
