import JobReactor
import JobReactorNode
import Testing

@Suite struct MainPathTests {
    @Test func aJobGoesToANodeAndItsResultComesBack() async throws {
        let scripts = try ScriptFolder(["a.lua": "job('resize', function(args) args.result = 'Yay!' end)"])
        let distributor = try await Distributor.start(port: 0)
        let port = try #require(distributor.port)
        let node = try await Node.start(
            NodeConfiguration(name: "n1", distributors: ["localhost:\(port)"], jobDirectory: scripts.path))
        let result = try await distributor.perform("resize", ["arg1": 1], timeout: 10)
        #expect(result.args.value == ["arg1": 1, "result": "Yay!"])
        await node.stop()
        await distributor.stop()
    }
}
