/// The way through the code of one function, in the order it is written, with what its registers hold of globals.
///
/// A name among the first 256 constants is part of the access itself; where a function has more, the table of globals and
/// the name are put into registers first.
struct GlobalWalk {
    /// Upvalues that are the table of globals.
    let globals: Set<Int>
    private(set) var accesses: [GlobalAccesses.Access] = []
    private(set) var replacesEnvironment = false

    private enum Held {
        case globals
        /// `_G` by that name: what is missing there is asked for on purpose.
        case namedGlobals
        case name(String)
    }

    private var registers: [Int: Held] = [:]

    init(globals: Set<Int>) { self.globals = globals }

    mutating func step(_ instruction: Instruction, at position: Int, of function: CompiledFunction) {
        let line = function.lines[position]
        switch instruction.operation {
        case .getTableUp where globals.contains(instruction.b):
            if let name = function.string(instruction.c), isNamedGlobals(name, line) {
                return hold(.namedGlobals, in: instruction.a)
            }
        case .setTableUp where globals.contains(instruction.a):
            if let name = function.string(instruction.b) { note(name, line, isAssignment: true) }
        case .getField, .self:
            // The name that is called as a method stands among the constants or in a register.
            let isConstant = instruction.operation == .getField || instruction.isKSet
            let name = isConstant ? function.string(instruction.c) : held(instruction.c)
            if get(from: instruction.b, name, line) { return hold(.namedGlobals, in: instruction.a) }
        case .getTable:
            if get(from: instruction.b, held(instruction.c), line) { return hold(.namedGlobals, in: instruction.a) }
        case .setField: set(in: instruction.a, function.string(instruction.b), line)
        case .setTable: set(in: instruction.a, held(instruction.b), line)
        case .setUpvalue:
            if globals.contains(instruction.b) { replacesEnvironment = true }
        case .getUpvalue where globals.contains(instruction.b): return hold(.globals, in: instruction.a)
        case .move:
            if let held = registers[instruction.b] { return hold(held, in: instruction.a) }
        case .loadConstant:
            if let name = function.string(instruction.bx) { return hold(.name(name), in: instruction.a) }
        case .loadConstantExtra where position + 1 < function.code.count:
            if let name = function.string(function.code[position + 1].ax) {
                return hold(.name(name), in: instruction.a)
            }
        default: break
        }
        forget(instruction.written)
    }

    private mutating func note(_ name: String, _ line: Int, isAssignment: Bool) {
        accesses.append(GlobalAccesses.Access(name: name, line: line, isAssignment: isAssignment))
    }

    /// Notes that a global is read; returns whether that is `_G`.
    private mutating func isNamedGlobals(_ name: String, _ line: Int) -> Bool {
        note(name, line, isAssignment: false)
        return name == "_G"
    }

    private mutating func get(from register: Int, _ name: String?, _ line: Int) -> Bool {
        guard case .globals = registers[register], let name else { return false }
        return isNamedGlobals(name, line)
    }

    private mutating func set(in register: Int, _ name: String?, _ line: Int) {
        switch registers[register] {
        case .globals, .namedGlobals:
            if let name { note(name, line, isAssignment: true) }
        default: break
        }
    }

    private func held(_ register: Int) -> String? {
        if case .name(let name) = registers[register] { name } else { nil }
    }

    private mutating func hold(_ held: Held, in register: Int) { registers[register] = held }

    private mutating func forget(_ written: Instruction.Written) {
        switch written {
        case .nothing: break
        case .register(let register): registers[register] = nil
        case .from(let first): registers = registers.filter { $0.key < first }
        }
    }
}
