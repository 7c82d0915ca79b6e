import JobReactor
import JobReactorNode
import JobReactorTesting
import Testing

/// Keys of jobs that scripts enqueue.
@Suite("Unique jobs of scripts") struct UniqueJobsOfScriptsTests {
    @Test("enqueue returns the id of the job that stands, alone and in a list, or raises that there is one")
    func standing() async throws {
        try await withNode(
            """
            job('digest', function(args) end)
            job('other', function(args) end)
            job('asks', function(args)
              args.first = enqueue('digest', { n = 1 }, { unique = 'k', after = 3600 })
              args.second = enqueue('digest', { n = 2 }, { unique = 'k' })
              args.list = enqueue { { 'other' }, { 'digest', {}, { unique = 'k' } }, { name = 'other' } }
              args.by_args = enqueue('digest', { a = 1, b = { c = 2 } }, { unique = true, after = 3600 })
              args.by_same_args = enqueue('digest', { b = { c = 2 }, a = 1 }, { unique = true })
              args.raised = select(2, pcall(enqueue, 'digest', {}, { unique = 'k', on_conflict = 'raise' }))
              args.wrong = select(2, pcall(enqueue, 'digest', {}, { unique = 5 }))
            end)
            """
        ) { distributor in
            let args = try await distributor.perform("asks", [:], timeout: 100).args
            let first = try #require(args["first"]?.string)
            #expect(first.utf8.count == 32 && args["second"]?.string == first)
            let list = try #require(args["list"]?.array).map(\.string)
            #expect(list.count == 3 && list[1] == first && Set(list).count == 3)
            let byArgs = try #require(args["by_args"]?.string)
            #expect(byArgs != first && args["by_same_args"]?.string == byArgs)
            #expect(args["raised"]?.string?.hasSuffix("enqueue: UNIQUE \(first): that job holds the key") == true)
            #expect(
                args["wrong"]?.string?.contains("enqueue: unique takes a key, or true for a key derived from the args")
                    == true)
        }
    }
}
