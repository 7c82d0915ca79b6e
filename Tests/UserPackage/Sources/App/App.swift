import Foundation
import JobReactor

/// Does what the guide shows, and each of the variations: App PORT. A node has to serve that port.
@main
struct Program {
    static func main() async throws {
        guard let port = CommandLine.arguments.dropFirst().first.flatMap({ Int($0) }) else {
            FileHandle.standardError.write(Data("usage: App PORT\n".utf8))
            exit(64)
        }
        let distributor = try await Distributor.start(port: port)
        let client = try await JobClient.connect(port: port)
        try await Guide(distributor: distributor).run()
        var count = 0
        for producer in [distributor, client] as [any JobProducer] {
            let checks = Checks()
            let variations = Variations(producer: producer, checks: checks)
            try await variations.values()
            try await variations.types()
            try await variations.shapes()
            try await variations.outcomes()
            count = await checks.count
        }
        await client.stop(grace: .seconds(5))
        await distributor.stop()
        print("\(count) variations, each with a Distributor and a JobClient: all well")
    }
}

/// Says what is not as it should be.
struct Wrong: Error, CustomStringConvertible {
    let description: String
}

/// Counts what was as it should be.
actor Checks {
    private(set) var count = 0

    func expect(_ found: JSONValue, _ expected: JSONValue, line: Int = #line) throws {
        guard found == expected else {
            throw Wrong(description: "line \(line): \(found.json) where \(expected.json) was expected")
        }
        count += 1
    }
}
