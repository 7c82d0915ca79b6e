internal import JobReactorCore

/// What the code of scripts tells of mistakes before anything of it runs: globals and jobs that nobody defines, results that are
/// lost, and files that come to nothing.
///
/// A global is defined when it has a value once all scripts are loaded, or when some script assigns it. One that is only
/// tested for (`if foo then`) counts as used: `rawget(_G, 'foo')` or `_G.foo` asks for what may not be there.
struct ScriptCheck {
    struct Script {
        /// As errors show it.
        var path: String
        /// What `require` calls it.
        var module: String?
        var role = ScriptSet.Role.script
        var accesses: GlobalAccesses
    }

    /// Globals of the state after loading.
    var globals: Set<String>
    /// `_G` answers for other names too, so that none can be said to be undefined.
    var isOpen: Bool
    /// Modules that are there without any script.
    var builtIn: Set<String> = []
    /// The jobs that the scripts define; nil where not all of them are known.
    var jobs: Set<String>?
    var scripts: [Script]
    /// What is wrong with the text of modules that nobody has required yet.
    var uncompiled: [String] = []

    var problems: [ScriptReport.Problem] {
        let defined = scripts.reduce(into: globals) { defined, script in
            for access in script.accesses.accesses where access.isAssignment { defined.insert(access.name) }
        }
        let ownScripts = scripts.filter { $0.role != .vendored }
        return uncompiled.map { ScriptReport.Problem(isError: false, message: $0, failsCheck: true) }
            + ownScripts.flatMap { script in
                undefined(in: script, besides: defined) + (isVain(script.accesses) ? [vain(script)] : [])
                    + hidden(script) + unknownJobs(in: script) + lost(in: script)
            }
    }

    /// Each name once, at its first line. One that is near to another is a mistake; else a node with other scripts may define
    /// the job.
    private func unknownJobs(in script: Script) -> [ScriptReport.Problem] {
        guard let jobs else { return [] }
        let known = jobs.sorted()
        var first: [String: Int] = [:]
        for use in script.accesses.jobs.named where !jobs.contains(use.name) {
            first[use.name] = min(use.line, first[use.name] ?? .max)
        }
        return first.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map { name, line in
            let near = NearestName.find(name, among: known)
            let rest = near.map { " (did you mean '\($0)'?)" } ?? ": it waits until a node with other scripts does"
            return ScriptReport.Problem(
                isError: false, message: "\(script.path):\(line): no script defines the job '\(name)'\(rest)",
                failsCheck: near != nil)
        }
    }

    private func lost(in script: Script) -> [ScriptReport.Problem] {
        script.accesses.jobs.losses.map { loss in
            let text =
                switch loss.kind {
                case .result: "what a job returns is lost: put it into args, such as args.result = …"
                case .args:
                    "this table is lost, because the result is the table that the job was given: set fields of that table, such as"
                        + " args.result = …"
                }
            return ScriptReport.Problem(isError: false, message: "\(script.path):\(loss.line): \(text)")
        }
    }

    /// What is no module of its own is not hidden by a built-in one: nobody requires it.
    private func hidden(_ script: Script) -> [ScriptReport.Problem] {
        guard let module = script.module, builtIn.contains(module), script.accesses.returnsValue else { return [] }
        return [
            ScriptReport.Problem(
                isError: false,
                message:
                    "\(script.path):1: require '\(module)' finds the built-in module of that name, not this file: give the"
                    + " file another name, or put it into a folder (require 'lib.\(module)')")
        ]
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
        "job", "job_callback", "job_errback", "schedule", "limit", "test", "require", "dofile", "loadfile", "load",
        "rawset", "setmetatable", "package", "shared",
    ]

    private func isVain(_ accesses: GlobalAccesses) -> Bool {
        !accesses.returnsValue && !accesses.changesGlobalTable && !accesses.replacesEnvironment
            && !accesses.accesses.contains { $0.isAssignment || Self.effective.contains($0.name) }
    }

    private func vain(_ script: Script) -> ScriptReport.Problem {
        ScriptReport.Problem(
            isError: false,
            message:
                "\(script.path):1: defines no job and no global, and returns nothing: a module returns its table, and other "
                + "files belong elsewhere")
    }
}
