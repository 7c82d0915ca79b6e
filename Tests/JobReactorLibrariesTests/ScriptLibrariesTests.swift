import JobReactorLibraries
import JobReactorLua
import Testing

@Suite struct ScriptLibrariesTests {
    @Test("every library has a name of its own, functions of different names, and the Lua text that calls them")
    func names() {
        let libraries = ScriptLibraries.all
        #expect(libraries.map(\.name) == ["http", "exec", "redis", "hash"])
        for library in libraries {
            let functions = library.functions.map(\.name)
            #expect(Set(functions).count == functions.count)
            for function in functions { #expect(library.source.contains(function), "\(library.name) \(function)") }
        }
    }
}
