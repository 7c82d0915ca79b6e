import CLuaShim
import Testing

@testable import JobReactorLua

/// Lua text in a state without scripts.
enum LuaText {
    /// The compiled chunk; an issue when the text does not compile.
    static func compile(_ source: String) throws -> [UInt8] {
        let state = try open()
        defer { jr_close(state) }
        return try #require(CompiledText(Array(source.utf8), "jobs/t.lua", in: state).chunk, "\(source)")
    }

    static func compiles(_ source: String) throws -> Bool {
        let state = try open()
        defer { jr_close(state) }
        return CompiledText(Array(source.utf8), "jobs/t.lua", in: state).chunk != nil
    }

    private static func open() throws -> OpaquePointer {
        var host = jr_host()
        var options = jr_options()
        return try #require(jr_open(&host, &options))
    }
}
