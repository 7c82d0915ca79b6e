import JobReactor
import JobReactorCore
import JobReactorNode
import JobReactorTesting
import Testing

/// Whose turn it is on a node that has more to do than it can.
@Suite("Turns on a node") struct TurnsTests {
    /// The gate is closed until a job with `defer`, on a thread of its own, opens it.
    private static let scripts = """
        job('gate', function(args) while not shared.get('open') do end end)
        job('open', function(args) shared.set('open', true) end)
        job('many', function(args)
          shared.incr('ran')
          local began = os.clock()
          while os.clock() - began < 0.001 do end
        end)
        job('other', function(args) args.ran = shared.get('ran') or 0 end)
        job('urgent', { priority = 9 }, function(args) args.ran = shared.get('ran') or 0 end)
        """

    /// How many of the many have run before a job that came behind all of them.
    private static func ran(before name: String, many options: JobOptions = JobOptions()) async throws -> Int {
        let ran = Locked<Int?>(nil)
        try await withNode(scripts, { $0.window = 2000 }) { distributor in
            try distributor.enqueue("gate", [:])
            try distributor.enqueue(contentsOf: (0..<1000).map { _ in JobSubmission("many", [:], options) })
            let outcomes = Outcomes()
            try distributor.enqueue(name, feedback: outcomes.feedback)
            try await eventually("all are at the node") { try await distributor.nodes().first?.load == 1002 }
            try distributor.enqueue("open", [:], JobOptions(isDeferred: true))
            let result = try #require(try await outcomes.wait(for: 1).first)
            ran.withLock { $0 = result.args["ran"]?.int }
        }
        return try #require(ran.withLock { $0 })
    }

    @Test("a job waits for a few of another name, and not for all that came before it")
    func names() async throws {
        // It would be 1000.
        let ran = try await Self.ran(before: "other")
        #expect(ran < 300, "\(ran) ran before it")
    }

    @Test("an urgent job goes before those that are not, by its script and by its producer")
    func urgent() async throws {
        let ran = try await Self.ran(before: "urgent")
        #expect(ran < 300, "\(ran) ran before it")
        let beforeUsual = try await Self.ran(before: "other", many: JobOptions(priority: 0))
        #expect(beforeUsual < 300, "\(beforeUsual) ran before it")
    }
}
