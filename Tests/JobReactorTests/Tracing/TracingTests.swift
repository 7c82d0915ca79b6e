import InMemoryTracing
import JobReactor
import JobReactorNode
import JobReactorTesting
import Testing
import Tracing

@testable import JobReactorWire

/// The spans that a program with a tracer gets, and what goes with a job from one to the next.
@Suite("Tracing", .timeLimit(.minutes(5))) struct TracingTests {
    private static let scripts = [
        "jobs.lua": """
        turn = 0
        job('hello', function() end)
        job('flaky', { max_attempt = 3, retry_multiplier = 0 }, function()
          turn = turn + 1
          if turn < 3 then error('no') end
        end)
        job('bad', { max_attempt = 1 }, function() error('never') end)
        job('parent', function()
          enqueue('hello')
          perform('hello')
        end)
        """
    ]

    private static var options: JobOptions {
        var options = JobOptions()
        options.trace = JobTrace(["traceparent": "00-1-2-01"])
        return options
    }

    /// Runs the body in a task that has a tracer of its own.
    private static func traced(_ body: @Sendable (InMemoryTracer, Cluster) async throws -> Void) async throws {
        let tracer = InMemoryTracer()
        try await withTracer(tracer) {
            try await Cluster.run(scripts: scripts) { cluster in try await body(tracer, cluster) }
        }
    }

    @Test("an enqueue is below the span of its task, and its wait and its run below that") func oneJob() async throws {
        try await Self.traced { tracer, cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor])
            try await waitForNodes(["n1"], at: distributor)
            _ = try await tracer.withSpan("request") { _ in try await distributor.perform("hello", timeout: 120) }
            let request = try #require(tracer.finished("request").first)
            let enqueue = try #require(tracer.finished("enqueue hello").first)
            let wait = try #require(tracer.finished("wait hello").last)
            let run = try #require(tracer.finished("run hello").first)
            #expect(enqueue.parentSpanID == request.spanID && enqueue.kind == .producer)
            #expect(wait.parentSpanID == enqueue.spanID && wait.kind == .internal)
            #expect(run.parentSpanID == enqueue.spanID && run.kind == .consumer && run.links.isEmpty)
            #expect(Set([enqueue, wait, run].map(\.traceID)) == [request.traceID])
            #expect(wait.attributes.get("jobreactor.place") == .string("node"))
            #expect(wait.startInstant.nanosecondsSinceEpoch <= wait.endInstant.nanosecondsSinceEpoch)
            #expect(run.attributes.get("messaging.system") == .string("jobreactor"))
            #expect(run.attributes.get("messaging.destination.name") == .string("hello"))
            #expect(run.attributes.get("jobreactor.attempt") == .int64(1))
            #expect(run.attributes.get("jobreactor.node") == .string("n1"))
            #expect(run.attributes.get("jobreactor.status") == .string("complete"))
            #expect(run.attributes.get("messaging.message.id") == enqueue.attributes.get("messaging.message.id"))
            #expect(tracer.activeSpans.isEmpty)
        }
    }

    @Test("a job that had to wait at the distributor has a span of that, too") func waits() async throws {
        try await Self.traced { tracer, cluster in
            let distributor = try await cluster.startDistributor()
            async let result = distributor.perform("hello", timeout: 120)
            try await eventually("it waits") { try await distributor.waitingJobs().first?.count == 1 }
            try await cluster.startNode("n1", for: [distributor])
            _ = try await result
            let places = tracer.finished("wait hello").map { $0.attributes.get("jobreactor.place") }
            #expect(places == [.string("distributor"), .string("node")])
        }
    }

    @Test("each attempt has a run of its own, which links to the one before, and says how it ended")
    func retries() async throws {
        try await Self.traced { tracer, cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor])
            _ = try await distributor.perform("flaky", timeout: 120)
            let enqueue = try #require(tracer.finished("enqueue flaky").first)
            let runs = tracer.finished("run flaky")
            #expect(runs.map(\.parentSpanID) == [enqueue.spanID, enqueue.spanID, enqueue.spanID])
            #expect(
                runs.map { $0.links.map(\.context.inMemorySpanContext?.spanID) } == [
                    [], [runs[0].spanID], [runs[1].spanID],
                ])
            #expect(runs.map { $0.status?.code == .error } == [true, true, false])
            #expect(runs[0].status?.message?.hasSuffix(": no") == true)
            await #expect(throws: JobFailure.self) { try await distributor.perform("bad", timeout: 120) }
            #expect(tracer.finished("run bad").first?.status?.code == .error)
            #expect(tracer.activeSpans.isEmpty)
        }
    }

    @Test("what a script enqueues and performs is below its run") func children() async throws {
        try await Self.traced { tracer, cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor])
            _ = try await distributor.perform("parent", timeout: 120)
            try await eventually("both have run") { tracer.finished("run hello").count == 2 }
            let parent = try #require(tracer.finished("run parent").first)
            let enqueues = tracer.finished("enqueue hello")
            #expect(enqueues.map(\.parentSpanID) == [parent.spanID, parent.spanID])
            #expect(Set(tracer.finished("run hello").map(\.parentSpanID)) == Set(enqueues.map(\.spanID)))
            #expect(Set(tracer.finished("run hello").map(\.traceID)) == [parent.traceID])
        }
    }

    @Test("an application elsewhere has the span of its enqueue, and the distributor makes none") func client()
        async throws
    {
        try await Self.traced { tracer, cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor])
            let client = try await JobClient.connect(host: "localhost", port: distributor.port ?? 0)
            _ = try await client.perform("hello", timeout: 120)
            await client.stop()
            let enqueue = tracer.finished("enqueue hello")
            #expect(enqueue.count == 1)
            #expect(tracer.finished("run hello").map(\.parentSpanID) == enqueue.map(\.spanID))
        }
    }

    @Test("a Redis client says where its job comes from") func command() async throws {
        try await Self.traced { tracer, cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor])
            let client = try await RESPClient.connect(to: Address(host: "localhost", port: distributor.port ?? 0))
            let trace = #"{"in-memory-span-id":"s","in-memory-trace-id":"t"}"#
            #expect(try await client.send(["PERFORM", "hello", "{}", "TRACE", trace]).text == "{}")
            await client.close()
            let enqueue = try #require(tracer.finished("enqueue hello").first)
            #expect(enqueue.parentSpanID == "s" && enqueue.traceID == "t")
            #expect(tracer.finished("run hello").map(\.traceID) == ["t"])
        }
    }

    @Test("without a tracer nothing is carried, but what somebody else has given goes through") func none() async throws
    {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            let client = try await RESPClient.connect(to: Address(host: "localhost", port: distributor.port ?? 0))
            let plain = try distributor.enqueue("hello")
            let trace = #"{"traceparent":"00-1-2-01"}"#
            let given = try #require(try await client.send(["ENQUEUE", "hello", "{}", "TRACE", trace]).text)
            func fields(_ id: String) async throws -> [String] {
                try await client.send(["JOB", id]).elements?.compactMap(\.text) ?? []
            }
            #expect(try await !fields(plain.description).contains("trace"))
            let shown = try await fields(given)
            #expect(shown.firstIndex(of: "trace").map { shown[$0 + 1] } == trace)
            await client.close()
        }
    }

    @Test("a node that does not say that it takes traces gets none, one that does gets them") func nodes() async throws
    {
        let distributor = try await Distributor.start(port: 0)
        let options = Self.options
        let old = try await ScriptedNode.connect(to: distributor, "old", jobs: ["for_old"])
        _ = try await old.job(try distributor.enqueue("for_old", [:], options))
        #expect(!old.said.contains("TRACE"))
        let new = try await ScriptedNode.connect(to: distributor, "new", jobs: [])
        try await new.say {
            LinkMessage.writeTakesLaterOptions(to: &$0)
            LinkMessage.writeJobs(["for_new"], to: &$0)
        }
        _ = try await new.job(try distributor.enqueue("for_new", [:], options))
        #expect(new.said.contains("$5\r\nTRACE\r\n$27\r\n{\"traceparent\":\"00-1-2-01\"}\r\n"))
        try await old.end()
        try await new.end()
        await distributor.stop(grace: 0)
    }

    @Test("a distributor that does not say that it takes traces gets none, ours says it") func distributors()
        async throws
    {
        let options = Self.options
        let old = try await ScriptedDistributor.start()
        async let connecting = JobClient.connect(to: old.address)
        try await old.hear("PRODUCER")
        try await old.say {
            Handshake.distributor(id: "0001", name: "scripted").write(to: &$0)
            LinkMessage.writeCredit(10, to: &$0)
        }
        let client = try await connecting
        try client.enqueue("for_old", [:], options)
        try await old.hear("for_old\r\n$2\r\n{}\r\n")
        let said = old.heard.elements.joined()
        #expect(said.contains("*5\r\n$3\r\nJOB\r\n") && !said.contains("TRACE"))
        await client.stop(grace: 0)
        try await old.stop()

        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            let client = try await JobClient.connect(host: "localhost", port: distributor.port ?? 0)
            let id = try client.enqueue("for_new", [:], options)
            try await client.flush()
            let command = try await RESPClient.connect(to: Address(host: "localhost", port: distributor.port ?? 0))
            #expect(try await command.send(["JOB", id.description]).elements?.contains { $0.text == "trace" } == true)
            await command.close()
            await client.stop()
        }
    }
}

extension InMemoryTracer {
    /// Those of that name that have ended, in the order of their ends.
    fileprivate func finished(_ name: String) -> [FinishedInMemorySpan] {
        finishedSpans.filter { $0.operationName == name }
    }
}
