import JobReactorTesting
import JobReactorCore
import NIOCore
import Testing

@testable import JobReactorWire

@Suite struct RESPWriterTests {
    @Test("each kind has its bytes")
    func golden() {
        #expect(written { $0.writeRESPArray(count: 0) } == "*0\r\n")
        #expect(written { $0.writeRESPArray(count: 12) } == "*12\r\n")
        #expect(written { $0.writeRESPNull() } == "$-1\r\n")
        #expect(written { $0.writeRESPSimple("PONG") } == "+PONG\r\n")
        #expect(written { $0.writeRESPError("ERR no such thing") } == "-ERR no such thing\r\n")
        #expect(written { $0.writeRESPError("ERR two\r\nlines\n") } == "-ERR two  lines \r\n")
        #expect(
            written { $0.writeRESPError(code: "JOBFAILED", bytes("{\"error\":1}")) } == "-JOBFAILED {\"error\":1}\r\n")
        #expect(written { $0.writeRESPError(code: "JOBFAILED", bytes("{\r\n}")) } == "-JOBFAILED {  }\r\n")
        #expect(written { $0.writeRESPBulk("" as String) } == "$0\r\n\r\n")
        #expect(written { $0.writeRESPBulk("größe" as String) } == "$7\r\ngröße\r\n")
        #expect(written { $0.writeRESPBulk("fixed" as StaticString) } == "$5\r\nfixed\r\n")
        #expect(written { $0.writeRESPBulk("größe" as StaticString) } == "$7\r\ngröße\r\n")
        #expect(written { $0.writeRESPBulk([]) } == "$0\r\n\r\n")
        #expect(written { $0.writeRESPBulk([0x0D, 0x0A, 0x00]) } == "$3\r\n\r\n\0\r\n")
        #expect(written { buffer in bytes("raw").withUnsafeBytes { buffer.writeRESPBulk($0) } } == "$3\r\nraw\r\n")
        #expect(
            written { $0.writeRESPBulk(JobID(high: 0xABC, low: .max)) }
                == "$32\r\n0000000000000abcffffffffffffffff\r\n")
        #expect(
            written { $0.writeRESPCommand(["ENQUEUE", "j", "{}"]) }
                == "*3\r\n$7\r\nENQUEUE\r\n$1\r\nj\r\n$2\r\n{}\r\n")
    }

    @Test(
        "numbers to their ends",
        arguments: [0, 1, 9, 10, 11, 99, 100, -1, -9, -10, 1_000_000_007, .max, .min, .min + 1] as [Int])
    func numbers(_ number: Int) {
        #expect(written { $0.writeRESPInteger(number) } == ":\(number)\r\n")
        #expect(written { $0.writeRESPBulk(number: number) } == "$\("\(number)".utf8.count)\r\n\(number)\r\n")
    }

    @Test("whatever is written is read back the same")
    func roundTrip() {
        var random = SeededGenerator(seed: 21)
        for round in 0..<2_000 {
            var buffer = ByteBuffer()
            let values = (0..<Int.random(in: 1...4, using: &random)).map { _ in Self.value(depth: 0, using: &random) }
            for value in values { Self.write(value, to: &buffer) }
            let stream = Array(buffer.readableBytesView)
            #expect(read([stream], .client) == Reading(frames: values), "round \(round)")
            let helpings = randomHelpings(stream, upTo: 50, using: &random)
            #expect(read(helpings, .client) == Reading(frames: values), "round \(round)")
        }
    }

    @Test("whatever command is written is read back the same by the server's side")
    func commands() {
        var random = SeededGenerator(seed: 22)
        for round in 0..<1_000 {
            let words = (0..<Int.random(in: 1...8, using: &random)).map { _ in Self.text(using: &random) }
            let stream = written { $0.writeRESPCommand(words) }
            #expect(read(stream) == Reading(frames: [.array(words.map(bulk))]), "round \(round)")
        }
    }

    private static func value(depth: Int, using random: inout SeededGenerator) -> RESPValue {
        switch Int.random(in: 0..<(depth < 6 ? 8 : 6), using: &random) {
        case 0: .simple("PONG")
        case 1: .error(String(decoding: text(using: &random).utf8.filter { $0 != 0x0D && $0 != 0x0A }, as: UTF8.self))
        case 2: .integer(Int(truncatingIfNeeded: random.next()) >> Int.random(in: 0..<64, using: &random))
        case 3: .null
        case 4: bulk(text(using: &random))
        case 5:
            .bulk((0..<Int.random(in: 0...300, using: &random)).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        default:
            .array((0..<Int.random(in: 0...4, using: &random)).map { _ in value(depth: depth + 1, using: &random) })
        }
    }

    private static func text(using random: inout SeededGenerator) -> String {
        let alphabet: [Character] = ["a", "Z", "0", " ", "\r", "\n", "$", "*", "-", "é", "🦜", "\0", "\"", "'"]
        return String(
            (0..<Int.random(in: 0...20, using: &random)).compactMap { _ in alphabet.randomElement(using: &random) })
    }

    private static func write(_ value: RESPValue, to buffer: inout ByteBuffer) {
        switch value {
        case .simple: buffer.writeRESPSimple("PONG")
        case .error(let text): buffer.writeRESPError(text)
        case .integer(let number): buffer.writeRESPInteger(number)
        case .bulk(let bytes): buffer.writeRESPBulk(bytes)
        case .null: buffer.writeRESPNull()
        case .array(let elements):
            buffer.writeRESPArray(count: elements.count)
            for element in elements { write(element, to: &buffer) }
        }
    }
}
