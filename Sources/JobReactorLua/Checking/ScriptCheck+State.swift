internal import CLuaShim

extension ScriptCheck {
    /// Looks at scripts that were loaded into the state, on its thread. What does not compile has been reported by its loading;
    /// as nobody knows which globals it would define, none is said to be undefined then. `builtIn` is what the state had of
    /// modules before.
    init(_ state: OpaquePointer, _ load: ScriptFolder.Load, _ report: ScriptReport, builtIn: Set<String>) {
        var isOpen = false
        // Without memory for the names nothing can be said of any.
        let globals = NamesInState.globals(of: state, isOpen: &isOpen)
        self.init(
            globals: globals ?? [], isOpen: isOpen || globals == nil, builtIn: builtIn,
            jobs: report.broken.isEmpty ? Set(report.definitions.map(\.name)) : nil, scripts: [])
        let broken = Set(report.broken.map(\.path))
        for script in load.scripts where script.problem == nil {
            switch CompiledText(script.source, script.path, in: state) {
            case .chunk(let chunk):
                guard let accesses = GlobalAccesses(chunk: chunk) else {
                    self.isOpen = true
                    continue
                }
                scripts.append(
                    Script(path: script.path, module: script.module, role: script.role, accesses: accesses))
            case .problem(let text):
                switch script.role {
                // Nobody may ever ask for it.
                case .vendored: break
                case .module where !broken.contains(script.path): uncompiled.append(text)
                case .module, .script: self.isOpen = true
                }
            }
        }
    }
}

/// Names that a state has, asked on its thread.
enum NamesInState {
    /// Nil without memory. `isOpen` when `_G` answers for other names too.
    static func globals(of state: OpaquePointer, isOpen: inout Bool) -> Set<String>? {
        collect { names, note in jr_list_globals(state, names, note, &isOpen) }
    }

    /// Those that `require` has; nil without memory.
    static func modules(of state: OpaquePointer) -> Set<String>? {
        collect { names, note in jr_list_modules(state, names, note) }
    }

    private static func collect(
        _ list: (UnsafeMutablePointer<Set<String>>, jr_global_function) -> Bool
    ) -> Set<String>? {
        var names: Set<String> = []
        let isListed = withUnsafeMutablePointer(to: &names) { names in
            list(names) { context, name, length in
                let name = String(decoding: UnsafeRawBufferPointer(start: name, count: length), as: UTF8.self)
                context?.assumingMemoryBound(to: Set<String>.self).pointee.insert(name)
            }
        }
        return isListed ? names : nil
    }
}

/// Lua text, compiled and not run.
enum CompiledText {
    case chunk([UInt8])
    /// `file:line: text`, of an error in it; or that there is no memory.
    case problem(String)

    init(_ source: [UInt8], _ name: String, in state: OpaquePointer) {
        var out = jr_bytes()
        let isGood = source.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                withUnsafePointer(to: CChar(0)) { empty in
                    jr_compile(state, name, characters.baseAddress ?? empty, characters.count, &out)
                }
            }
        }
        self = isGood ? .chunk(out.array) : .problem(out.text)
    }

    var chunk: [UInt8]? { if case .chunk(let bytes) = self { bytes } else { nil } }
}
