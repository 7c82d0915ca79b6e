import Foundation
import Testing

/// The examples that are one program, as they stand.
@Suite struct ExampleTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    @Test func aDistributorAndANodeShareOneProcess() async throws {
        let example = try await Programs.run("AllInOne", [], directory: Self.root)
        #expect(example.status == 0, "\(example.errors)")
        #expect(example.output.contains("The job says Yay!\n"))
        #expect(
            example.output.contains(#"{"arg1":"Hello again","result":"Yay!"}"#)
                || example.output.contains(#"{"result":"Yay!","arg1":"Hello again"}"#))
    }

    @Test func twoDistributorsAndThreeNodesServeEachOther() async throws {
        let example = try await Programs.run("TwoDistributorsThreeNodes", [], directory: Self.root)
        #expect(example.status == 0, "\(example.errors)")
        let lines = example.output.split(separator: "\n").map(String.init)
        #expect(lines.count == 6)
        #expect(lines.contains("shop, rather on ben: ben 6"))
        #expect(lines.contains { $0.hasPrefix("books, not on anna: ") && !$0.hasSuffix("anna") && $0.contains("ben") })
        #expect(lines.contains { $0.hasPrefix("shop, rather on ben, who has left: ") && !$0.contains(": ben ") })
        #expect(lines.last == "All stopped.")
    }
}
