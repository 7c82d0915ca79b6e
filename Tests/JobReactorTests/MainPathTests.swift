import JobReactor
import JobReactorNode
import JobReactorTesting
import Testing

@Suite struct MainPathTests {
    static let scripts = [
        "resize.lua": """
        job('resize', function(args) args.result = 'Yay!' end)
        job_callback('resize', 'notify', function(args) args.notified = args.result .. '!' end)
        """,
        "fails.lua": """
        job('fails', { max_attempt = 1 }, function(args) args.lost = true; error('no disk') end)
        job_errback('fails', function(args) args.cleaned = true end)
        """,
        "tools/echo.lua": "job('echo', function(args) end)",
    ]

    @Test func theSuccessFeedbackGetsTheArgsAsTheJobAndItsCallbacksLeftThem() async throws {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor])
            let results = Collector<JobResult>()
            let id = try distributor.enqueue("resize", ["arg1": 1], onSuccess: { results.append($0) })
            try await results.wait(for: 1)
            let result = try #require(results.elements.first)
            #expect(result.id == id)
            #expect(result.name == "resize")
            #expect(result.status == .complete)
            #expect(result.args.value == ["arg1": 1, "result": "Yay!", "notified": "Yay!!"])
        }
    }

    @Test func theErrorFeedbackGetsTheStoredArgsWithTheErrorAndWhatErrbacksAdded() async throws {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor])
            let failures = Collector<JobFailure>()
            try distributor.enqueue("fails", ["arg1": 1], onError: { failures.append($0) })
            try await failures.wait(for: 1)
            let failure = try #require(failures.elements.first)
            #expect(failure.status == .failed)
            #expect(failure.message.hasSuffix("/fails.lua:1: no disk"))
            #expect(failure.args.value == ["arg1": 1, "cleaned": true, "error": .string(failure.message)])
        }
    }

    struct Picture: Codable, Equatable {
        var path: String
        var width: Int64
        var result: String?
    }

    @Test func argsAndResultsCanBeTypesOfTheApplication() async throws {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor])
            let picture = Picture(path: "cat.png", width: .max)
            let resized = try await distributor.perform("resize", picture, timeout: 20, returning: Picture.self)
            #expect(resized == Picture(path: "cat.png", width: .max, result: "Yay!"))
        }
    }

    @Test func performThrowsTheFailureOfTheJob() async throws {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor])
            let failure = await #expect(throws: JobFailure.self) { try await distributor.perform("fails", timeout: 20) }
            #expect(failure?.message.hasSuffix("fails.lua:1: no disk") == true)
        }
    }

    @Test func argsOfThreeMegabytesGoThereAndBack() async throws {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor])
            let text = String(repeating: "lorem ipsum ", count: 250_000)
            let result = try await distributor.perform("echo", ["text": .string(text)], timeout: 30)
            #expect(result["text"] == .string(text))
        }
    }

    @Test(arguments: [false, true]) func fiveThousandJobsEachReportOnce(dialsBack: Bool) async throws {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            for name in ["n1", "n2"] {
                try await cluster.startNode(name, for: [distributor]) {
                    if dialsBack { $0.server = Address(host: "localhost", port: 0) }
                }
            }
            let results = Collector<Int>()
            for number in 0..<5_000 {
                try distributor.enqueue(
                    "echo", ["n": JSONValue(number)], onSuccess: { results.append($0["n"]?.int ?? -1) })
            }
            try await results.wait(for: 5_000, seconds: 120)
            #expect(results.elements.sorted() == Array(0..<5_000))
        }
    }

    @Test func jobsEnqueuedBeforeAnyNodeIsThereWaitForIt() async throws {
        try await Cluster.run(scripts: Self.scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            let results = Collector<JobResult>()
            for _ in 0..<100 { try distributor.enqueue("echo", onSuccess: { results.append($0) }) }
            try await cluster.startNode("n1", for: [distributor])
            try await results.wait(for: 100)
        }
    }

    @Test func jobItselfIsMergedIntoArgsAndFeedbackWhereTheOptionIsOn() async throws {
        let scripts = [
            "it.lua": "job('it', function(args) args.seen = args.job_itself.name .. args.job_itself.attempt end)"
        ]
        try await Cluster.run(scripts: scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor]) { $0.mergeJobItselfToArgs = true }
            let result = try await distributor.perform("it", ["a": 1], timeout: 20)
            #expect(result["seen"] == "it1")
            #expect(result["job_itself"]?["name"] == "it")
            #expect(result["job_itself"]?["node"] == "n1")
            #expect(result["job_itself"]?["id"]?.string == result.id.description)
            #expect(result["job_itself"]?["status"] == "complete")
        }
    }

    @Test func aFailedJobIsTriedAgainAndTheErrorFeedbackComesOnce() async throws {
        let scripts = [
            "flaky.lua": """
            job('flaky', { max_attempt = 3, retry_multiplier = 0.01 }, function(args)
              error({ message = 'attempt', left = args.left })
            end)
            job_errback('flaky', function(args) args.left = (args.left or 0) + 1 end)
            """
        ]
        try await Cluster.run(scripts: scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor])
            let failures = Collector<JobFailure>()
            try distributor.enqueue("flaky", onError: { failures.append($0) })
            try await failures.wait(for: 1)
            let failure = try #require(failures.elements.first)
            #expect(failure["left"] == 3)
            #expect(failure["error"] == ["message": "attempt", "left": 2])
        }
    }

    @Test func aDelayedJobRunsAfterItsDelayAndACancelledOneReportsItsArgs() async throws {
        let scripts = ["c.lua": "job('stop', function(args) args.seen = true; pcall(cancel_job) ; args.never = 1 end)"]
        try await Cluster.run(scripts: scripts) { cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor])
            let before = Timestamp.now
            let result = try await distributor.perform("stop", [:], JobOptions(after: 0.2), timeout: 20)
            #expect(Timestamp.now >= before.advanced(bySeconds: 0.2))
            #expect(result.status == .cancelled)
            #expect(result.args.value == ["seen": true])
        }
    }

    @Test(arguments: [
        ("", JobOptions(), JobError.Code.invalidName), ("a b", JobOptions(), .invalidName),
        ("a", JobOptions(after: -1), .invalidOption), ("a", JobOptions(period: .nan), .invalidOption),
        ("a", JobOptions(node: ""), .invalidOption), ("a", JobOptions(maxAttempt: 0), .invalidOption),
    ])
    func whatIsNotAllowedIsAnErrorAndNothingIsEnqueued(name: String, options: JobOptions, code: JobError.Code)
        async throws
    {
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor()
            let error = #expect(throws: JobError.self) { try distributor.enqueue(name, [:], options) }
            #expect(error?.code == code)
        }
    }

    @Test func argsThatAreNoObjectAreAnError() async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor()
            let error = #expect(throws: JobError.self) { try distributor.enqueue("a", [1, 2]) }
            #expect(error?.code == .invalidArguments)
        }
    }
}
