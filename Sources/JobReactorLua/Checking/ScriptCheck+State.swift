internal import CLuaShim

extension ScriptCheck {
    /// Looks at scripts that were loaded into the state, on its thread. What does not compile has been reported by its loading;
    /// as nobody knows which globals it would define, none is said to be undefined then.
    init(_ state: OpaquePointer, _ scripts: [(path: String, source: [UInt8])]) {
        self.init(globals: [], isOpen: false, scripts: [])
        var names: Set<String> = []
        // Without memory for the names nothing can be said of any.
        isOpen = withUnsafeMutablePointer(to: &names) { names in
            var isOpen = false
            let isListed = jr_list_globals(
                state, names,
                { context, name, length in
                    let name = String(decoding: UnsafeRawBufferPointer(start: name, count: length), as: UTF8.self)
                    context?.assumingMemoryBound(to: Set<String>.self).pointee.insert(name)
                }, &isOpen)
            return isOpen || !isListed
        }
        globals = names
        for (path, source) in scripts {
            guard let chunk = CompiledText.compile(source, path, in: state), let accesses = GlobalAccesses(chunk: chunk)
            else {
                isOpen = true
                continue
            }
            self.scripts.append(Script(path: path, accesses: accesses))
        }
    }
}

/// Lua text, compiled and not run.
enum CompiledText {
    /// The chunk; nil when the text has an error, or there is no memory.
    static func compile(_ source: [UInt8], _ name: String, in state: OpaquePointer) -> [UInt8]? {
        var chunk = jr_bytes()
        let isGood = source.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                withUnsafePointer(to: CChar(0)) { empty in
                    jr_compile(state, name, characters.baseAddress ?? empty, characters.count, &chunk)
                }
            }
        }
        return isGood ? chunk.array : nil
    }
}
