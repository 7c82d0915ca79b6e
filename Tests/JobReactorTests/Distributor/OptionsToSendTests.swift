import JobReactorCore
import JobReactorTesting
import Testing

@testable import JobReactor

/// In seconds.
private func at(_ seconds: Double) -> Timestamp { Timestamp(seconds: seconds) }

/// What the next owner of a job is told of its wait.
@Suite struct OptionsToSendTests {
    @Test(
        "the wait that is left by the steady clock, or the date; nothing when it is due",
        arguments: [
            (.now, nil, nil), (.steady(at(8)), 3, nil), (.steady(at(5)), nil, nil), (.steady(at(1)), nil, nil),
            (.steady(Timestamp(microseconds: 5_000_001)), 0.000_001, nil), (.date(at(2000)), nil, 2000),
            (.date(at(1000)), nil, nil), (.date(at(8)), nil, nil),
            // No longer than the next owner takes.
            (.never, JobLimits.seconds, nil), (.date(Timestamp(microseconds: .max)), nil, 1000 + JobLimits.seconds),
        ] as [(DueTime, Double?, Double?)])
    func waits(due: DueTime, after: Double?, runAt: Double?) {
        let job = Job(id: JobID(high: 1, low: 1), name: "j", args: [:], createdAt: at(0))
        let options = job.optionsToSend(due, now: Moment(wall: at(1000), steady: at(5)))
        #expect(options == JobOptions(after: after, runAt: runAt.map(at)))
    }

    @Test("everything else as it was asked for, without the id")
    func others() {
        let asked = JobOptions(
            period: 60, node: "a", notNode: "b", isDeferred: true, maxAttempt: 3, retryMultiplier: 2, priority: 9,
            unique: JobUnique("k", for: 1, onConflict: .again), id: JobID(high: 1, low: 1))
        let job = Job(id: JobID(high: 1, low: 1), name: "j", args: [:], options: asked, createdAt: at(0))
        var expected = asked
        expected.id = nil
        expected.unique?.acceptedAt = at(0)
        #expect(job.optionsToSend(.now, now: Moment(wall: at(0), steady: at(0))) == expected)
    }

    @Test("a node of the first release gets those options that it knows", arguments: JobOptionTable.all.map(\.name))
    func laterOptions(_ name: String) throws {
        let option = try #require(JobOptionTable.all.first { $0.name == name })
        let sample = try #require(option.type.samples.first)
        let asked = try #require(option.options(sample))
        var sent = asked
        sent.dropLaterOptions()
        #expect(sent == (option.isLater ? JobOptions() : asked))
        let page = try DocumentationPage("Sources/JobReactorWire/JobReactorWire.docc/LinkProtocol.md").text
        let row = try #require(page.split(separator: "\n").first { $0.hasPrefix("| taker | `PING LATER_OPTIONS`") })
        #expect(row.contains("`\(option.word)`") == option.isLater, "LinkProtocol.md: \(row)")
    }
}
