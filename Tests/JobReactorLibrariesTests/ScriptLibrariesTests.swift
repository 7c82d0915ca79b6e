import JobReactorLibraries
import JobReactorLua
import Testing

@Suite struct ScriptLibrariesTests {
    @Test func everyLibraryHasANameOfItsOwn() {
        let names = ScriptLibraries.all.map(\.name)
        #expect(Set(names).count == names.count)
    }
}
