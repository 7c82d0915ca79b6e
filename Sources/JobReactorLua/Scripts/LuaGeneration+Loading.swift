internal import CLuaShim
internal import JobReactorCore

/// Loading what a folder has into a state.
extension ScriptFolder.Load {
    /// What the shim tells of each script.
    private final class Listener {
        let load: ScriptFolder.Load
        var report: ScriptReport
        var good: [ScriptFolder.Load.Script] = []

        init(_ load: ScriptFolder.Load, _ report: ScriptReport) {
            self.load = load
            self.report = report
        }

        func note(_ index: Int, _ outcome: jr_script_outcome, _ error: String) {
            let script = load.scripts[index]
            if outcome == JR_SCRIPT_LOADED {
                good.append(script)
                return
            }
            let error = error.cut(toBytes: JobLimits.errorTextBytes)
            let reason = String(error.prefix { $0 != "\n" })
            let since = outcome == JR_SCRIPT_FELL_BACK ? script.fallback?.loadedAt : nil
            report.broken.append(ScriptReport.Broken(path: script.path, reason: reason, usedSince: since))
            let addition = since.map { "\n\(script.path): its version of \($0.clockText) stays in use" } ?? ""
            // The shim puts the traceback below the text.
            let parts = error.firstRange(of: "\nstack traceback:\n")
            let text = error[..<(parts?.lowerBound ?? error.endIndex)]
            let traceback = parts.map { String(error[$0.lowerBound...].dropFirst()) }
            report.problems.append(
                ScriptReport.Problem(isError: true, message: String(text) + addition, traceback: traceback))
        }
    }

    /// Runs the scripts in the state, and adds to the report what came of it. Returns those that are good as they are.
    func run(in state: OpaquePointer, _ report: inout ScriptReport) -> [Script] {
        report.fileCount = scripts.count
        report.generation = generation
        report.problems += problems.map { ScriptReport.Problem(isError: true, message: $0) }
        let listener = Listener(self, report)
        let texts = CTexts(scripts)
        texts.withScripts { scripts, count in
            jr_load_scripts(state, scripts, count, Unmanaged.passUnretained(listener).toOpaque()) {
                context, index, outcome, error, length in
                guard let context else { return }
                let text = String(decoding: UnsafeRawBufferPointer(start: error, count: length), as: UTF8.self)
                Unmanaged<Listener>.fromOpaque(context).takeUnretainedValue().note(index, outcome, text)
            }
        }
        report = listener.report
        return listener.good
    }
}

/// Scripts as C reads them.
private final class CTexts {
    private var scripts: [jr_script] = []
    private var owned: [UnsafeMutableRawPointer] = []

    init(_ loaded: [ScriptFolder.Load.Script]) {
        for script in loaded {
            scripts.append(
                jr_script(
                    name: copy(Array(script.path.utf8)), module: script.module.map { copy(Array($0.utf8)) },
                    source: copy(script.source), length: script.source.count,
                    fallback: script.fallback.map { copy($0.source) },
                    fallback_length: script.fallback?.source.count ?? 0,
                    problem: script.problem.map { copy(Array($0.utf8)) }, waits: script.role != .script))
        }
    }

    deinit { for pointer in owned { pointer.deallocate() } }

    /// With a zero behind it.
    private func copy(_ bytes: [UInt8]) -> UnsafePointer<CChar> {
        let place = UnsafeMutableRawPointer.allocate(byteCount: bytes.count + 1, alignment: 1)
        bytes.withUnsafeBytes { bytes in
            if let start = bytes.baseAddress { place.copyMemory(from: start, byteCount: bytes.count) }
        }
        place.storeBytes(of: 0, toByteOffset: bytes.count, as: UInt8.self)
        owned.append(place)
        return UnsafePointer(place.assumingMemoryBound(to: CChar.self))
    }

    func withScripts(_ body: (UnsafePointer<jr_script>, Int) -> Void) {
        scripts.withUnsafeBufferPointer { buffer in
            if let start = buffer.baseAddress { body(start, buffer.count) }
        }
    }
}

extension Timestamp {
    /// `2026-11-25 09:12:03 UTC`, for people.
    package var clockText: String {
        let seconds = microseconds / 1_000_000
        var days = seconds / 86_400
        var rest = seconds % 86_400
        if rest < 0 {
            rest += 86_400
            days -= 1
        }
        // Days since 0000-03-01, in eras of 400 years.
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthIndex + 2) / 5 + 1
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(year)-\(two(month))-\(two(day)) \(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60)) UTC"
    }
}
