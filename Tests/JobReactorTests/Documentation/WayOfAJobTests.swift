import Foundation
import Testing

@Suite("The page of the way of a job") struct WayOfAJobTests {
    @Test("names files that there are") func files() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let sources = root.appending(path: "Sources")
        let page = sources.appending(path: "JobReactorCore/JobReactorCore.docc/TheWayOfAJob.md")
        let text = try String(contentsOf: page, encoding: .utf8)
        let named = text.matches(of: /`([A-Za-z+\/]+\.swift)`/).map { String($0.1) }
        #expect(named.count > 20)
        let files = FileManager.default.enumerator(atPath: sources.path)?.compactMap { $0 as? String } ?? []
        for name in named { #expect(files.contains { $0.hasSuffix("/" + name) }, "\(name)") }
    }
}
