import JobReactorWire
import Testing

@Suite("The changelog") struct ChangelogTests {
    @Test("begins with the version of this package") func newest() throws {
        let text = try DocumentationPage.file(".github/CHANGELOG.md")
        let newest = text.split(separator: "\n").first { $0.hasPrefix("## ") }
        #expect(newest == "## \(JobReactorVersion.current)")
    }
}
