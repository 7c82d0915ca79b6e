import Foundation
import JobReactor
import JobReactorNode
import JobReactorTesting
import Testing

/// A storage that was lost is opened again as soon as nothing is under way that belongs to before.
@Suite("A storage that was lost") struct ReopeningTests {
    @Test("is opened again also when the end of a run could not be stored before, and that run is made again")
    func afterARefusedEnd() async throws {
        let (place, runs, gate) = (try await SharedRedis.location(), RunLog(), RunLog())
        let troubles = Locked<[FaultInjectingStorage.Call.Kind: StorageError]>([:])
        let recorder = LogRecorder()
        try await Cluster.run(scripts: ["jobs.lua": runs.lua]) { cluster in
            let distributor = try await cluster.startDistributor()
            try await cluster.startNode("n1", for: [distributor]) {
                $0.storage = FaultInjectingStorage(place.storage()) { call in troubles.withLock { $0[call.kind] } }
                $0.logger = recorder.logger
            }
            try await waitForNodes(["n1"], at: distributor)
            let outcomes = Outcomes()
            try distributor.enqueue(
                "gated", ["gate": .string(gate.path)], JobOptions(), feedback: outcomes.feedback)
            try await eventually("it runs") { runs.lines == ["gated"] }
            troubles.withLock { $0[.apply] = FaultInjectingStorage.fault }
            try FileManager.default.removeItem(atPath: gate.path)
            try await eventually("its end is refused") {
                recorder.lines.elements.contains { $0.text.contains("the storage refuses") }
            }
            troubles.withLock { $0[.save] = StorageError("it is another's", code: .lost) }
            try distributor.enqueue("note", [:], JobOptions(), feedback: outcomes.feedback)
            try await eventually("it is lost") {
                recorder.lines.elements.contains { $0.text.contains("taken over the jobs") }
            }
            troubles.withLock { $0 = [:] }
            let all = try await outcomes.wait(for: 2)
            #expect(all.map(\.isSuccess) == [true, true])
            #expect(runs.lines.sorted() == ["gated", "gated", "ran"])
        }
    }
}
