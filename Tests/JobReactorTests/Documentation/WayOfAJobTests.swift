import Foundation
import Testing

@Suite("The page of the way of a job") struct WayOfAJobTests {
    @Test("names files that there are") func files() throws {
        let page = try DocumentationPage("Sources/JobReactorCore/JobReactorCore.docc/TheWayOfAJob.md")
        let named = page.text.matches(of: /`([A-Za-z+\/]+\.swift)`/).map { String($0.1) }
        #expect(named.count > 20)
        let sources = DocumentationPage.root.appending(path: "Sources").path
        let files = FileManager.default.enumerator(atPath: sources)?.compactMap { $0 as? String } ?? []
        for name in named { #expect(files.contains { $0.hasSuffix("/" + name) }, "\(name)") }
    }
}
