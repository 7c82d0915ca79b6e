import JobReactorCore
import Testing

@testable import JobReactorWire

@Suite struct HandshakeTests {
    static let golden: [(Handshake, String)] = [
        (
            .node(
                NodeIntroduction(
                    name: "n1", instance: "i1", isDurable: true, server: "localhost:5001", place: "p", token: "t1")),
            "*8\r\n$4\r\nNODE\r\n$1\r\n3\r\n$2\r\nn1\r\n$2\r\ni1\r\n$7\r\nDURABLE\r\n$14\r\nlocalhost:5001\r\n$1\r\np\r\n"
                + "$2\r\nt1\r\n"
        ),
        (
            .node(NodeIntroduction(name: "größe", instance: "i1", isDurable: false, server: nil)),
            "*8\r\n$4\r\nNODE\r\n$1\r\n3\r\n$7\r\ngröße\r\n$2\r\ni1\r\n$8\r\nVOLATILE\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n"
        ),
        (.producer(id: "p"), "*3\r\n$8\r\nPRODUCER\r\n$1\r\n3\r\n$1\r\np\r\n"),
        (.distributor(id: "d", name: "app"), "*4\r\n$11\r\nDISTRIBUTOR\r\n$1\r\n3\r\n$1\r\nd\r\n$3\r\napp\r\n"),
        (
            .link(distributor: "d", token: "t1", received: 12),
            "*5\r\n$4\r\nLINK\r\n$1\r\n3\r\n$1\r\nd\r\n$2\r\nt1\r\n$2\r\n12\r\n"
        ),
        (.linked, "*1\r\n$6\r\nLINKED\r\n"),
        (.serve(received: 0), "*2\r\n$5\r\nSERVE\r\n$1\r\n0\r\n"),
        (.unwelcome("NAME taken"), "*2\r\n$9\r\nUNWELCOME\r\n$10\r\nNAME taken\r\n"),
    ]

    @Test("every handshake has its bytes, and is read back from them", arguments: golden)
    func goldenBytes(handshake: Handshake, stream: String) throws {
        #expect(written { handshake.write(to: &$0) } == stream)
        #expect(try withFrame(stream) { try Handshake($0) } == handshake)
    }

    @Test("verbs are read in any letter case")
    func letterCase() throws {
        #expect(try withCommand(["producer", "3", "P"]) { try Handshake($0) } == .producer(id: "P"))
        #expect(try withCommand(["Linked"]) { try Handshake($0) } == .linked)
    }

    @Test(
        "another version is refused, in words that say what to do",
        arguments: ["NODE", "PRODUCER", "DISTRIBUTOR", "LINK"],
        [0, 2, -1, 99])
    func otherVersion(verb: String, version: Int) {
        let line =
            "NOPROTO the peer asks for link version \(version), but this side has version 3:"
            + " run the same release of jobreactor on both"
        // Whatever else another version may say.
        for words in [[verb, "\(version)"], [verb, "\(version)", "a", "b", "c", "d", "e", "f"]] {
            #expect(throws: CommandError(line)) { try withCommand(words) { try Handshake($0) } }
        }
    }

    @Test("without a version there is no handshake", arguments: ["NODE", "PRODUCER", "DISTRIBUTOR", "LINK"])
    func noVersion(verb: String) {
        let line = "ERR \(verb) is a handshake between nodes and distributors and starts with a version"
        for words in [[verb], [verb, "x"], [verb, ""], [verb, "1.0"]] {
            #expect(throws: CommandError(line)) { try withCommand(words) { try Handshake($0) } }
        }
    }

    @Test(
        "with too few or too many words it is no handshake",
        arguments: [
            "NODE 3", "NODE 3 n i DURABLE", "NODE 3 n i DURABLE h:1", "NODE 3 n i DURABLE h:1 p",
            "NODE 3 n i DURABLE h:1 p t x", "PRODUCER 3",
            "PRODUCER 3 a b", "DISTRIBUTOR 3",
            "DISTRIBUTOR 3 a", "DISTRIBUTOR 3 a b c", "LINK 3 d", "LINK 3 d i", "LINK 3 d i x", "LINK 3 d i -1",
            "LINK 3 d i 1 x", "LINKED 1", "SERVE", "SERVE x", "SERVE -1", "SERVE 1 2", "UNWELCOME", "UNWELCOME a b",
            "PING", "JOB", "NODES",
            "LINKS 3 d i 1",
        ])
    func wrongCount(line: String) throws {
        #expect(try withCommand(line.split(separator: " ").map(String.init)) { try Handshake($0) } == nil)
    }

    @Test("a reply is no handshake", arguments: ["+LINKED\r\n", "-NOAUTH\r\n", "*0\r\n", "*1\r\n:1\r\n"])
    func reply(stream: String) throws {
        #expect(try withFrame(stream) { try Handshake($0) } == nil)
    }
}
