import JobReactorCore
import JobReactorTesting
import JobReactorWire
import Testing

@testable import JobReactor

/// Whose a stored job is, as one text.
@Suite struct KeptForTests {
    @Test(
        "is read as it was written, whatever is in the producer's id",
        arguments: [
            "", "a", "my producer", " ", "=", "=5:a b c", "=1:a", "!", "!a", "?", "?a", "%20", "é ü", "a\nb", "\0", ":",
        ])
    func roundTrip(_ producer: String) {
        for node in [nil, "n1", "n:1", "=1:a"] {
            for isInDoubt in node == nil ? [false] : [false, true] {
                for isCancelled in [false, true] {
                    let kept = KeptFor(
                        producer: producer, node: node, isInDoubt: isInDoubt, isCancelled: isCancelled)
                    #expect(KeptFor(text: kept.text) == kept, "\(kept.text)")
                    #expect(kept.owner == (isInDoubt ? nil : node))
                }
            }
        }
    }

    @Test("no two are written alike")
    func isUnambiguous() {
        let parts = ["a", "=", "1", ":", "b", "!", "?", "=1:a", "=3:a b"]
        var texts: [String: KeptFor] = [:]
        for first in parts {
            for second in parts {
                for producer in [first, first + second, "\(first) \(second)"] {
                    for node in [nil, "a", "b", "=1:a"] {
                        for marks in 0..<4 where node != nil || marks < 2 {
                            let kept = KeptFor(
                                producer: producer, node: node, isInDoubt: marks >= 2, isCancelled: marks % 2 == 1)
                            let other = texts.updateValue(kept, forKey: kept.text)
                            #expect(other == nil || other == kept)
                        }
                    }
                }
            }
        }
    }

    @Test("one that stands for a finished job is no other") func holding() {
        #expect(KeptFor(text: KeptFor.holding.text).isHolding)
        #expect(KeptFor(text: KeptFor(producer: "?").text) == KeptFor(producer: "?"))
        #expect(!KeptFor(text: "!?").isHolding)
    }

    @Test(
        "records of earlier releases are read",
        arguments: [
            ("", KeptFor(producer: "")), ("0a1b", KeptFor(producer: "0a1b")),
            ("0a1b worker_1", KeptFor(producer: "0a1b", node: "worker_1")),
        ])
    func earlier(text: String, kept: KeptFor) {
        #expect(KeptFor(text: text) == kept)
        #expect(kept.text == text)
    }

    @Test("a producer whose id is no name is told so, and goes", arguments: ["my producer", "", "a\u{1}"])
    func refused(_ id: String) async throws {
        try await Cluster.run(scripts: [:]) { cluster in
            let distributor = try await cluster.startDistributor()
            let address = Address(host: "localhost", port: distributor.port ?? 0)
            let client = try await RESPClient.connect(to: address)
            let reply = try await client.send(["PRODUCER", "\(Handshake.version)", id])
            #expect(reply.text?.hasPrefix("ERR a producer's id must not") == true, "\(reply)")
            await #expect(throws: WireError.self) { _ = try await client.send(["PING"]) }
            await client.close()
        }
    }
}
