import JobReactorLua
import Testing

@testable import JobReactorLibraries

@Suite struct PackedStringsTests {
    @Test("strings come back as they were, with any bytes and without")
    func roundTrip() throws {
        let strings: [[UInt8]] = [[], [0, 255], Array("ä".utf8), Array(repeating: 7, count: 300)]
        var packed = PackedStrings()
        for string in strings { packed.append(string) }
        #expect(try PackedStrings.unpack(packed.bytes) == strings)
        #expect(packed.bytes.prefix(10) == [0, 0, 0, 0, 2, 0, 0, 0, 0, 255])
    }

    @Test("what is cut short is an error, wherever the cut is")
    func cut() {
        var packed = PackedStrings()
        packed.append([1, 2, 3])
        for count in 1..<packed.bytes.count {
            #expect(throws: ScriptFailure("a list of strings is cut short")) {
                try PackedStrings.unpack(Array(packed.bytes.prefix(count)))
            }
        }
    }
}
