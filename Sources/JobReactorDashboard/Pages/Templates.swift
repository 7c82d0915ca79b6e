private import Mustache

/// The templates of pages, read once.
struct Templates: Sendable {
    enum Name: String, CaseIterable {
        case layout, overview, jobs, job, names, schedules, nodes, login, confirm, message
    }

    private let library: MustacheLibrary

    static let standard = Templates()

    private init() {
        MustacheContentTypes.register(SafeText.ContentType(), named: "PAGE")
        var library = MustacheLibrary()
        for (name, bytes) in Self.sources {
            let text = "{{% CONTENT_TYPE:PAGE }}" + String(decoding: bytes, as: UTF8.self)
            do { try library.register(text, named: name.rawValue) } catch {
                // A test renders every one: what is wrong in one is found before this is.
                assertionFailure("the template \(name) is wrong: \(error)")
            }
        }
        self.library = library
    }

    private static let sources: [(Name, [UInt8])] = [
        (.layout, PackageResources.layout_mustache), (.overview, PackageResources.overview_mustache),
        (.jobs, PackageResources.jobs_mustache), (.job, PackageResources.job_mustache),
        (.names, PackageResources.names_mustache), (.schedules, PackageResources.schedules_mustache),
        (.nodes, PackageResources.nodes_mustache), (.login, PackageResources.login_mustache),
        (.confirm, PackageResources.confirm_mustache), (.message, PackageResources.message_mustache),
    ]

    /// A page, or a part of one. `value` has a member for every name in the template.
    func render(_ name: Name, _ value: Any) -> String { library.render(value, withTemplate: name.rawValue) ?? "" }
}
