import JobReactorTesting
import Testing

@testable import JobReactorLua

/// Chunks that no Lua wrote: whatever the bytes, there is an answer or none, and never a crash.
@Suite struct DamagedChunkTests {
    private static let source = """
        local up, t = 1, { 'a', 2, 3.5, nil, true }
        function f(...) local n = ... for i = 1, n do t[i] = g(up) end return function() return t, h end end
        goto done ::done::
        """

    @Test func oneThatIsCutShortIsRefused() throws {
        let chunk = try LuaText.compile(Self.source)
        #expect(GlobalAccesses(chunk: chunk) != nil)
        for length in chunk.indices { #expect(GlobalAccesses(chunk: Array(chunk[..<length])) == nil, "\(length)") }
        #expect(GlobalAccesses(chunk: chunk + [0]) == nil)
    }

    @Test func oneOfAnotherLuaIsRefused() throws {
        let chunk = try LuaText.compile(Self.source)
        // Everything up to the number of upvalues.
        for index in 0..<31 {
            var other = chunk
            other[index] ^= 1
            #expect(GlobalAccesses(chunk: other) == nil, "\(index)")
        }
    }

    @Test func anyByteMayBeAnyOther() throws {
        let chunk = try LuaText.compile(Self.source)
        var read = 0
        for index in chunk.indices {
            for byte: UInt8 in [0, 1, 0x7F, 0x80, 0x81, 0xFF, chunk[index] ^ 0x10] {
                var damaged = chunk
                damaged[index] = byte
                if GlobalAccesses(chunk: damaged) != nil { read += 1 }
            }
        }
        // Some damage does not show: names and numbers have no checksum.
        #expect(read > 0)
    }

    @Test func anyBytesMayFollowTheHead() throws {
        let head = try LuaText.compile(Self.source).prefix(31)
        var generator = SeededGenerator(seed: 54)
        for _ in 0..<2000 {
            let length = Int.random(in: 0...200, using: &generator)
            let bytes = (0..<length).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            _ = GlobalAccesses(chunk: head + bytes)
        }
        #expect(GlobalAccesses(chunk: Array(head)) == nil)
    }

    @Test func countsThatCannotBeAreRefusedBeforeTheyTakeMemory() throws {
        let head = try LuaText.compile("").prefix(31)
        let most: [UInt8] = Array(repeating: 0x7F, count: 7) + [0xFF]
        // One upvalue, no name, lines 0 to 0, and so many instructions.
        #expect(GlobalAccesses(chunk: head + [1, 0x80, 0x80, 0x80, 0, 1, 2] + most) == nil)
        let far: [UInt8] = Array(repeating: 0x7F, count: 20) + [0xFF]
        #expect(GlobalAccesses(chunk: head + [1] + far) == nil)
    }
}
