/// What a compiled script does with jobs, as far as its code tells: which ones it gives away by names that stand in it, and what
/// its steps make that is lost.
struct JobUses {
    /// A job that is enqueued or performed.
    struct Named: Hashable {
        var name: String
        var line: Int
    }

    /// In a function that is given to `job`, `job_callback` or `job_errback`.
    struct Loss: Hashable {
        enum Kind {
            /// It returns a value. One that a call returns may be none, and does not count.
            case result
            /// It puts a new table in the place of the one that it was given.
            case args
        }

        var kind: Kind
        var line: Int
    }

    /// In the order of the code, those of inner functions behind those of the function around them, as the losses.
    private(set) var named: [Named] = []
    private(set) var losses: [Loss] = []

    init(_ main: CompiledFunction) {
        // What is compiled as a whole has one upvalue, its globals.
        visit(main, globals: [0], isStep: false)
    }

    private mutating func visit(_ function: CompiledFunction, globals: Set<Int>, isStep: Bool) {
        var walk = JobWalk(globals: globals, hasArgs: function.parameters > 0)
        for (position, instruction) in function.code.enumerated() {
            walk.step(instruction, at: position, of: function)
        }
        named += walk.named
        if isStep { losses += walk.losses }
        for (index, inner) in function.functions.enumerated() {
            visit(inner, globals: function.globals(in: inner, globals), isStep: walk.steps.contains(index))
        }
    }
}
