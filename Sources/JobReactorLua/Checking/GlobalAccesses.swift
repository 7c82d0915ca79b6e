/// What a compiled script does with global variables, as far as its code tells: none of it was run.
struct GlobalAccesses {
    struct Access: Hashable {
        var name: String
        var line: Int
        var isAssignment: Bool
    }

    /// In the order of the code, those of inner functions behind those of the function around them.
    private(set) var accesses: [Access] = []
    /// The script puts another table in the place of its globals, so that nothing can be said of the accesses.
    private(set) var replacesEnvironment = false
    /// The file as a whole returns a value, as a module does.
    private(set) var returnsValue = false
    /// The file as a whole sets a field of what it got from a global: `string.trim = …`.
    private(set) var changesGlobalTable = false
    /// What it does with the globals that are for jobs.
    let jobs: JobUses

    /// Nil where the chunk is not what this Lua writes.
    init?(chunk: [UInt8]) {
        guard let main = CompiledFunction(chunk: chunk) else { return nil }
        jobs = JobUses(main)
        // What is compiled as a whole has one upvalue, its globals.
        visit(main, globals: [0])
        returnsValue = main.code.contains { instruction in
            switch instruction.operation {
            case .return: instruction.b != 1
            case .return1, .tailCall: true
            default: false
            }
        }
        changesGlobalTable = Self.changesGlobalTable(main)
    }

    private mutating func visit(_ function: CompiledFunction, globals: Set<Int>) {
        var walk = GlobalWalk(globals: globals)
        for (position, instruction) in function.code.enumerated() {
            walk.step(instruction, at: position, of: function)
        }
        accesses += walk.accesses
        replacesEnvironment = replacesEnvironment || walk.replacesEnvironment
        for inner in function.functions { visit(inner, globals: function.globals(in: inner, globals)) }
    }

    private static func changesGlobalTable(_ main: CompiledFunction) -> Bool {
        var fromGlobals: Set<Int> = []
        for instruction in main.code {
            switch instruction.operation {
            case .setField, .setTable, .setInteger:
                if fromGlobals.contains(instruction.a) { return true }
            case .getTableUp:
                fromGlobals.insert(instruction.a)
                continue
            case .getField where fromGlobals.contains(instruction.b), .move where fromGlobals.contains(instruction.b):
                fromGlobals.insert(instruction.a)
                continue
            default: break
            }
            switch instruction.written {
            case .nothing: break
            case .register(let register): fromGlobals.remove(register)
            case .from(let first): fromGlobals = fromGlobals.filter { $0 < first }
            }
        }
        return false
    }
}
