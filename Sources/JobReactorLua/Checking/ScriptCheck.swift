internal import JobReactorCore

/// What the code of scripts tells of mistakes before anything of it runs: globals that nobody defines, and files that come
/// to nothing.
///
/// A global is defined when it has a value once all scripts are loaded, or when some script assigns it. One that is only
/// tested for (`if foo then`) counts as used: `rawget(_G, 'foo')` or `_G.foo` asks for what may not be there.
struct ScriptCheck {
    struct Script {
        /// As errors show it.
        var path: String
        var accesses: GlobalAccesses
    }

    /// Globals of the state after loading.
    var globals: Set<String>
    /// `_G` answers for other names too, so that none can be said to be undefined.
    var isOpen: Bool
    var scripts: [Script]

    var problems: [ScriptReport.Problem] {
        let defined = scripts.reduce(into: globals) { defined, script in
            for access in script.accesses.accesses where access.isAssignment { defined.insert(access.name) }
        }
        return scripts.flatMap { script in
            undefined(in: script, besides: defined) + (isVain(script.accesses) ? [vain(script)] : [])
        }
    }

    /// Each name once, at its first line.
    private func undefined(in script: Script, besides defined: Set<String>) -> [ScriptReport.Problem] {
        guard !isOpen, !script.accesses.replacesEnvironment else { return [] }
        var first: [String: Int] = [:]
        for access in script.accesses.accesses where !defined.contains(access.name) {
            first[access.name] = min(access.line, first[access.name] ?? .max)
        }
        let known = defined.sorted()
        return first.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map { name, line in
            // To two letters everything is near.
            let near = name.count < 3 ? nil : NearestName.find(name, among: known)
            let hint = near.map { " (did you mean '\($0)'?)" } ?? ""
            return ScriptReport.Problem(
                isError: false, message: "\(script.path):\(line): undefined global '\(name)'\(hint)", failsCheck: true)
        }
    }

    /// What leaves something behind, or may: defines steps of jobs or tests, loads other files, or reaches into tables.
    private static let effective: Set<String> = [
        "job", "job_callback", "job_errback", "test", "require", "dofile", "loadfile", "load", "rawset", "setmetatable",
        "package", "shared",
    ]

    private func isVain(_ accesses: GlobalAccesses) -> Bool {
        !accesses.returnsValue && !accesses.changesGlobalTable && !accesses.replacesEnvironment
            && !accesses.accesses.contains { $0.isAssignment || Self.effective.contains($0.name) }
    }

    private func vain(_ script: Script) -> ScriptReport.Problem {
        ScriptReport.Problem(
            isError: false,
            message:
                "\(script.path):1: defines no job and no global, and returns nothing: a module returns its table, and what is "
                + "no script belongs elsewhere")
    }
}
