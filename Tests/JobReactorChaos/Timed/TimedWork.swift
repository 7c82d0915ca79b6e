import Foundation
import JobReactor
import JobReactorTesting

/// Jobs that say when others may run: with keys, of a limit, and of schedules that are due each second. They come from redis-cli,
/// while things are broken, and once more when all is mended.
final class TimedWork: Sendable {
    struct Result: Sendable {
        /// The jobs that a distributor has named in its answers, as new or as those that stand: each must run to its end.
        var answered: Set<String> = []
        /// Keys of which no job was accepted in the end.
        var stuck: [String] = []
        /// Schedules of which no tick ran in the end.
        var silent: [String] = []
    }

    /// Runs that the limit lets be at once at each distributor.
    static let places = 3
    private static let keys = 4
    /// Seconds that everything has in the end.
    private static let patience = 240.0

    private let installation: ChaosInstallation
    private let storage: ChaosPlace.Kind
    private let state = Guarded(Result())
    private let lastNumber = Guarded<UInt64>(0)

    init(_ installation: ChaosInstallation, _ storage: ChaosPlace.Kind) {
        self.installation = installation
        self.storage = storage
    }

    func result() -> Result { state.withLock { $0 } }

    /// With these each run is traced: what it is, of which name, its id, its process, begin or end, and when.
    static let script = """
        local function trace(args, kind, name, what)
          local file = assert(io.open(args.file, 'a'))
          file:write(string.format('%s %s %s %d %s %.6f\\n', kind, name, args.job_itself.id, pid, what, now()))
          file:close()
        end
        local function traced(kind, seconds, name_of)
          return function(args)
            local name = name_of(args)
            trace(args, kind, name, 'B')
            sleep(seconds)
            trace(args, kind, name, 'E')
          end
        end
        job('keyed', traced('key', 0.05, function(args) return args.key end))
        job('narrow', { limit = { key = 'd', concurrency = \(places) } },
          traced('limit', 0.1, function(args) return args.d end))
        job('tick', traced('tick', 0.02, function() return string.format('%s:%.0f', job.schedule, job.tick) end))
        """

    // MARK: While things are broken

    /// The schedules are set before anything is broken. Of distributors that share a place the one takes them that leads.
    func begin() async throws {
        for number in 1...installation.clientProxies.count {
            let line = "SCHEDULE SET second_\(number) 'every 1s' tick '{\"file\":\"\(installation.traceFile)\"}'"
            try await eventually("a schedule is set") {
                for place in self.places(of: number) {
                    if try await self.say([line], at: place) == ["OK"] { return true }
                }
                return false
            }
        }
    }

    /// The distributors, from 1, that may have what belongs to that one.
    private func places(of number: Int) -> [Int] {
        storage == .redis ? Array(1...installation.clientProxies.count) : [number]
    }

    func enqueueAll(over seconds: Double) async throws {
        let end = Date().addingTimeInterval(seconds)
        while Date() < end {
            for place in 1...installation.clientProxies.count {
                let lines = (0..<Self.keys).map { keyed(Self.key($0, at: place, storage)) }
                try await enqueue(lines + (0..<6).map { _ in narrow(at: place) }, at: place)
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    /// Distributors that share no place have keys of their own.
    private static func key(_ number: Int, at place: Int, _ storage: ChaosPlace.Kind) -> String {
        storage == .redis ? "k\(number)" : "k\(number)_d\(place)"
    }

    private func nextID() -> JobID {
        lastNumber.withLock { last in
            last += 1
            return JobID(high: 2, low: last)
        }
    }

    private func keyed(_ key: String, _ id: JobID? = nil, options: String = "") -> String {
        "ENQUEUE keyed '{\"key\":\"\(key)\",\"file\":\"\(installation.traceFile)\"}' ID \(id ?? nextID())"
            + " UNIQUE \(key)\(options)"
    }

    private func narrow(at place: Int) -> String {
        "ENQUEUE narrow '{\"d\":\"d\(place)\",\"file\":\"\(installation.traceFile)\"}' ID \(nextID())"
    }

    /// What is answered with an id is a job that must run, whichever it is.
    private func enqueue(_ lines: [String], at place: Int) async throws {
        let answered = try await say(lines, at: place).filter { JobID($0) != nil }
        state.withLock { $0.answered.formUnion(answered) }
    }

    private func say(_ lines: [String], at place: Int) async throws -> [String] {
        let port = installation.clientProxies[place - 1].port
        let answers = try await Programs.output(
            "redis-cli", ["-h", "127.0.0.1", "-p", "\(port)"], input: lines.joined(separator: "\n"))
        return answers.split(separator: "\n").map(String.init)
    }

    // MARK: When all is mended

    /// Whatever may run does: what was accepted, a new job of each key, more of the limit than there are places, and the next ticks.
    func finish() async throws {
        for place in 1...installation.clientProxies.count {
            try await enqueue((0..<2 * Self.places).map { _ in narrow(at: place) }, at: place)
            for number in 0..<Self.keys {
                let (key, id) = (Self.key(number, at: place, storage), nextID())
                let isFree = try await eventually {
                    let answer = try await self.say([self.keyed(key, id, options: " ON_CONFLICT raise")], at: place)
                    return answer == ["\(id)"]
                }
                state.withLock { state in
                    guard isFree else { return state.stuck.append(key) }
                    state.answered.insert("\(id)")
                }
            }
        }
        let mended = Date().timeIntervalSince1970
        let answered = result().answered
        // What does not end is for the verdict.
        _ = try await eventually { answered.isSubset(of: self.ended()) }
        for number in 1...installation.clientProxies.count {
            let name = "second_\(number)"
            let runs = try await eventually {
                self.installation.traces().contains { trace in
                    trace.kind == .tick && trace.name.hasPrefix(name + ":") && trace.isEnd && trace.at > mended + 1
                }
            }
            guard !runs else { continue }
            state.withLock { $0.silent.append(name) }
        }
    }

    private func ended() -> Set<String> {
        Set(installation.traces().lazy.filter(\.isEnd).map(\.id))
    }

    /// Whether it came in time.
    private func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
        let end = Date().addingTimeInterval(Self.patience)
        while Date() < end {
            if try await condition() { return true }
            try await Task.sleep(for: .milliseconds(300))
        }
        return false
    }

    private func eventually(_ what: String, _ condition: () async throws -> Bool) async throws {
        guard try await eventually(condition) else { throw Late(what: what) }
    }

    private struct Late: Error, CustomStringConvertible {
        let what: String
        var description: String { "never came: \(what)" }
    }
}
