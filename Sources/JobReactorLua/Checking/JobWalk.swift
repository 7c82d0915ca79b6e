/// The way through the code of one function, in the order it is written, with what its registers hold of jobs.
struct JobWalk {
    /// Upvalues that are the table of globals.
    let globals: Set<Int>
    /// Whether the first register is a parameter.
    let hasArgs: Bool
    private(set) var named: [JobUses.Named] = []
    /// What is lost if this function is a step.
    private(set) var losses: [JobUses.Loss] = []
    /// Which of the functions inside are steps of jobs.
    private(set) var steps: Set<Int> = []

    private enum Held {
        case globals
        case text(String)
        /// `job`, `job_callback` or `job_errback`.
        case definer
        /// What these return when they are called without a function.
        case definition
        /// `enqueue` or `perform`.
        case giver
        case function(Int)
        /// A new table: the text that stands first in it, and those that stand first in the tables in it.
        case table(first: JobUses.Named?, inner: [JobUses.Named])
    }

    private var registers: [Int: Held] = [:]
    /// Up to this position code may be left out where there are args: `args = args or {}` assigns nothing then.
    private var conditionalEnd = 0

    init(globals: Set<Int>, hasArgs: Bool) {
        self.globals = globals
        self.hasArgs = hasArgs
    }

    mutating func step(_ instruction: Instruction, at position: Int, of function: CompiledFunction) {
        switch instruction.operation {
        case .getTableUp where globals.contains(instruction.b):
            return hold(Self.global(function.string(instruction.c)), in: instruction.a)
        case .getUpvalue where globals.contains(instruction.b): return hold(.globals, in: instruction.a)
        case .getField:
            if case .globals = registers[instruction.b] {
                return hold(Self.global(function.string(instruction.c)), in: instruction.a)
            }
        case .getTable:
            if case .globals = registers[instruction.b], case .text(let name) = registers[instruction.c] {
                return hold(Self.global(name), in: instruction.a)
            }
        case .loadConstant: return hold(function.string(instruction.bx).map { .text($0) }, in: instruction.a)
        case .loadConstantExtra where position + 1 < function.code.count:
            return hold(function.string(function.code[position + 1].ax).map { .text($0) }, in: instruction.a)
        case .closure: return hold(.function(instruction.bx), in: instruction.a)
        case .newTable: return hold(.table(first: nil, inner: []), in: instruction.a)
        case .setList: return fill(instruction, function.lines[position])
        case .move:
            let held = registers[instruction.b]
            if instruction.a == 0, hasArgs, position >= conditionalEnd, case .table = held {
                losses.append(JobUses.Loss(kind: .args, line: function.lines[position]))
            }
            return hold(held, in: instruction.a)
        case .test where instruction.a == 0 && position + 1 < function.code.count:
            let next = function.code[position + 1]
            if next.operation == .jump { conditionalEnd = max(conditionalEnd, position + 2 + next.jump) }
        case .call, .tailCall: return call(instruction, function.lines[position])
        case .return1: returned(instruction.a, at: position, of: function)
        case .return where instruction.b == 2: returned(instruction.a, at: position, of: function)
        case .return where instruction.b != 1:
            if position == 0 || function.code[position - 1].operation != .tailCall {
                losses.append(JobUses.Loss(kind: .result, line: function.lines[position]))
            }
        default: break
        }
        switch instruction.written {
        case .nothing: break
        case .register(let register): registers[register] = nil
        case .from(let first): forget(from: first)
        }
    }

    private static func global(_ name: String?) -> Held? {
        switch name {
        case "job", "job_callback", "job_errback": .definer
        case "enqueue", "perform": .giver
        default: nil
        }
    }

    private mutating func hold(_ held: Held?, in register: Int) { registers[register] = held }

    private mutating func forget(from first: Int) { registers = registers.filter { $0.key < first } }

    /// One value is returned: the args themselves are no loss, nor is nil.
    private mutating func returned(_ register: Int, at position: Int, of function: CompiledFunction) {
        if register == 0, hasArgs { return }
        if position > 0, case let before = function.code[position - 1], before.operation == .loadNil,
            before.a == register
        {
            return
        }
        losses.append(JobUses.Loss(kind: .result, line: function.lines[position]))
    }

    /// Values are put into a new table, in the order in which they stand there.
    private mutating func fill(_ instruction: Instruction, _ line: Int) {
        let table = instruction.a
        defer { forget(from: table + 1) }
        guard case .table(var first, var inner) = registers[table] else { return }
        let last = instruction.b == 0 ? Int.max : table + instruction.b
        let held = registers.filter { $0.key > table && $0.key <= last }.sorted { $0.key < $1.key }
        for (register, value) in held {
            switch value {
            case .text(let name) where register == table + 1 && instruction.c == 0:
                first = JobUses.Named(name: name, line: line)
            case .table(let named?, _): inner.append(named)
            default: break
            }
        }
        registers[table] = .table(first: first, inner: inner)
    }

    private mutating func call(_ instruction: Instruction, _ line: Int) {
        let callee = registers[instruction.a]
        // Without a number the arguments go as far as there are values.
        let last = instruction.b == 0 ? Int.max : instruction.a + instruction.b - 1
        let arguments = registers.filter { $0.key > instruction.a && $0.key <= last }
        forget(from: instruction.a)
        switch callee {
        case .definer, .definition:
            let functions = arguments.values.compactMap { if case .function(let index) = $0 { index } else { nil } }
            steps.formUnion(functions)
            if functions.isEmpty, case .definer = callee { registers[instruction.a] = .definition }
        case .giver:
            switch arguments[instruction.a + 1] {
            case .text(let name): named.append(JobUses.Named(name: name, line: line))
            case .table(_, let inner): named += inner
            default: break
            }
        default: break
        }
    }
}
