import JobReactorTesting
import Testing

@testable import JobReactor

/// Outcomes and progress as sequences, and handlers by job name that come and go.
@Suite("Events and handlers") struct EventsTests {
    private static let scripts = [
        "jobs.lua": """
        job('does', function(args) args.done = true end)
        job('fails', { max_attempt = 1 }, function(args) error('no disk', 0) end)
        job('ticks', function(args)
          args.n = args.n + 1
          if args.n == 3 then cancel_job() end
        end)
        """
    ]

    /// With a distributor, a client of it, and a node.
    private static func withProducers(
        _ body: @Sendable (Distributor, JobClient) async throws -> Void
    ) async throws {
        try await Cluster.run(scripts: scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor])
            try await waitForNodes(["n1"], at: distributor)
            let client = try await JobClient.connect(port: try #require(distributor.port))
            try await body(distributor, client)
            await client.stop()
        }
    }

    private static func all(_ events: AsyncStream<JobEvent>) async -> [JobEvent] {
        await events.reduce(into: []) { $0.append($1) }
    }

    /// All but progress: that nobody defines the job is told as such.
    private static func ends(_ events: AsyncStream<JobEvent>) async -> [JobEvent] {
        await all(events).filter { if case .progress = $0 { false } else { true } }
    }

    private static func success(_ event: JobEvent?) -> JobResult? {
        if case .success(let result)? = event { result } else { nil }
    }

    private static func result(_ number: Int) -> JobResult {
        let id = JobID(high: 0, low: UInt64(number))
        return JobResult(id: id, name: "j", args: ["n": JSONValue(number)], status: .complete)
    }

    // MARK: Sequences

    @Test("a job that is followed tells its progress and its outcome, and no more")
    func follow() async throws {
        let producer = RecordingProducer()
        let (path, width) = ("cat.png", 200)
        struct Size: Codable {
            var width: Int
        }
        let jobs = [
            try producer.follow("j"), try producer.follow("j", ["width": 200], JobOptions(after: 1)),
            try producer.follow("j", ["path": path, "width": width]), try producer.follow("j", Size(width: 200)),
        ]
        for (job, args) in zip(jobs, producer.args) {
            let events = await Self.all(job.events)
            #expect(events.count == 2)
            #expect(events.first == .progress(JobProgress(id: job.id, name: "j", fraction: 0.5, text: "")))
            let result = try #require(Self.success(events.last))
            #expect(result.id == job.id && result.args.value == args)
        }
        #expect(producer.args == [[:], ["width": 200], ["path": "cat.png", "width": 200], ["width": 200]])
        #expect(throws: JobError.self) { try producer.follow("no spaces") }
    }

    @Test("the sequence ends with the last outcome: of a good job, a failed one, and a periodic one that is cancelled")
    func outcomes() async throws {
        try await Self.withProducers { distributor, client in
            for producer in [distributor, client] as [any JobProducer] {
                let good = await Self.all(try producer.follow("does", ["a": 1]).events)
                #expect(good.count == 1)
                let result = try #require(Self.success(good.first))
                #expect(result.args.value == ["a": 1, "done": true] && result.status == .complete)
                let bad = await Self.all(try producer.follow("fails").events)
                #expect(bad.count == 1 && Self.success(bad.first) == nil)
                if case .failure(let failure)? = bad.first { #expect(failure.message == "no disk") }
                let ticks = await Self.all(
                    try producer.follow("ticks", ["n": 0], JobOptions(period: .milliseconds(1))).events)
                #expect(ticks.map { Self.success($0)?["n"] } == [1, 2, 3])
            }
        }
    }

    @Test("the sequence ends without an outcome when the producer stops")
    func stops() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor()
            let client = try await JobClient.connect(port: try #require(distributor.port))
            let (job, others) = (try client.follow("never"), client.events(of: "never"))
            await client.stop()
            for events in [job.events, others] { #expect(await Self.ends(events).isEmpty) }
            let (owned, named) = (try distributor.follow("never"), distributor.events(of: "never"))
            await distributor.stop()
            for events in [owned.events, named] { #expect(await Self.ends(events).isEmpty) }
            for producer in [distributor, client] as [any JobProducer] {
                #expect(await Self.all(producer.events(of: "late")) == [])
            }
            #expect(throws: JobError.self) { try distributor.follow("late") }
        }
    }

    @Test("all jobs of a name can be read as a sequence")
    func named() async throws {
        try await Self.withProducers { distributor, client in
            let events = distributor.events(of: "does")
            for number in 1...3 { _ = try await client.perform("does", ["n": JSONValue(number)], timeout: 60) }
            _ = try? await client.perform("fails", timeout: 60)
            await distributor.stop()
            #expect(await Self.all(events).map { Self.success($0)?["n"] } == [1, 2, 3])
        }
    }

    @Test("while nobody reads, the newest events are kept")
    func buffer() async throws {
        let producer = RecordingProducer()
        let events = producer.events(of: "j", buffered: 2)
        let feedback = try #require(producer.handlers.elements.first?.feedback)
        for number in 1...5 { feedback.onSuccess?(Self.result(number)) }
        feedback.onStop?()
        #expect(await Self.all(events) == [.success(Self.result(4)), .success(Self.result(5))])
    }

    @Test("a sequence that nobody reads any more has no handler")
    func ended() async throws {
        let producer = RecordingProducer()
        do {
            let events = producer.events(of: "j")
            producer.handlers.elements.last?.feedback.onSuccess?(Self.result(1))
            for await event in events {
                #expect(event == .success(Self.result(1)))
                break
            }
        }
        let reader = Task { for await _ in producer.events(of: "j") {} }
        try await eventually("the reader has begun") { producer.handlers.elements.count == 2 }
        reader.cancel()
        await reader.value
        try await eventually("both are removed") { producer.handlers.elements.allSatisfy(\.registration.isRemoved) }
    }

    // MARK: Handlers

    @Test("a handler that is removed is not called any more, at a distributor and at a client")
    func removed() async throws {
        try await Self.withProducers { distributor, client in
            for producer in [distributor, client] as [any JobProducer] {
                let (kept, removed, failed) = (Collector<JobID>(), Collector<JobID>(), Collector<JobID>())
                let stays = producer.onSuccess("does") { kept.append($0.id) }
                let goes = producer.onSuccess("does") { removed.append($0.id) }
                producer.onError("fails") { failed.append($0.id) }
                let first = try await producer.perform("does", timeout: 60).id
                goes.remove()
                goes.remove()
                let second = try await producer.perform("does", timeout: 60).id
                #expect(removed.elements == [first] && kept.elements == [first, second])
                #expect(goes.isRemoved && !stays.isRemoved)
                _ = try? await producer.perform("fails", timeout: 60)
                #expect(failed.elements.count == 1)
            }
        }
    }

    @Test("a handler may remove itself, and one that was removed at once is never called")
    func once() async throws {
        try await Self.withProducers { distributor, client in
            for producer in [distributor, client] as [any JobProducer] {
                let (calls, never) = (Collector<JobID>(), Collector<JobID>())
                let own = Locked<HandlerRegistration?>(nil)
                let registration = producer.onSuccess("does") { result in
                    calls.append(result.id)
                    own.withLock { $0 }?.remove()
                }
                own.withLock { $0 = registration }
                producer.onSuccess("does") { never.append($0.id) }.remove()
                let first = try await producer.perform("does", timeout: 60).id
                _ = try await producer.perform("does", timeout: 60)
                #expect(calls.elements == [first] && never.elements.isEmpty)
            }
        }
    }

    @Test("a client hears of its own jobs alone, a distributor of all")
    func whose() async throws {
        try await Self.withProducers { distributor, client in
            let (atClient, atDistributor) = (Collector<JobID>(), Collector<JobID>())
            client.onSuccess("does") { atClient.append($0.id) }
            distributor.onSuccess("does") { atDistributor.append($0.id) }
            let others = try await distributor.perform("does", timeout: 60).id
            let own = try await client.perform("does", timeout: 60).id
            #expect(atClient.elements == [own] && atDistributor.elements == [others, own])
        }
    }

    @Test("handlers are kept by name, in their order")
    func handlers() {
        var handlers = JobHandlers()
        let (first, second, gone) = (HandlerRegistration(), HandlerRegistration(), HandlerRegistration())
        gone.remove()
        for registration in [first, gone, second] { handlers.add(JobFeedback(), for: "a", registration) }
        #expect(handlers["a"].map { $0.registration === first } == [true, false] && handlers["b"].isEmpty)
        handlers.remove(first, of: "b")
        handlers.remove(first, of: "a")
        #expect(handlers["a"].count == 1 && !handlers.isEmpty)
        #expect(handlers.removeAll().count == 1 && handlers.isEmpty)
        handlers.add(JobFeedback(), for: "a", first)
        handlers.remove(first, of: "a")
        #expect(handlers.isEmpty)
    }

    // MARK: Many jobs

    @Test("jobs of one call have args of any Encodable types")
    func submissions() async throws {
        let producer = RecordingProducer()
        let paths = ["a.png", "b.png"]
        struct Size: Codable {
            var width: Int
        }
        let jobs = try paths.enumerated().map {
            try JobSubmission("j", ["path": $1, "index": $0], JobOptions(after: 1))
        }
        try producer.enqueue(contentsOf: jobs)
        try producer.enqueue(contentsOf: [
            JobSubmission("j"), JobSubmission("j", Size(width: 1)), JobSubmission("j", ["path": paths[0]]),
            JobSubmission("j", ["width": 200, "path": "c.png"]),
        ])
        #expect(
            producer.args == [
                ["path": "a.png", "index": 0], ["path": "b.png", "index": 1], [:], ["width": 1], ["path": "a.png"],
                ["width": 200, "path": "c.png"],
            ])
        #expect(throws: JobError.self) { try JobSubmission("j", ["n": Double.nan, "path": paths[0]]) }
        #expect(throws: JobError.self) { try JobSubmission("j", [1, 2]) }
    }
}
