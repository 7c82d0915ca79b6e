internal import JobReactorCore
internal import JobReactorWire

/// What pages are made with.
struct PageContext: Sendable {
    let answers: Answers
    let throughput: Throughput
    let now: Timestamp
    /// What each form says with it.
    let csrf: String

    /// Whether the visitor may change something.
    var canAct: Bool { answers.visitor.user.has(.operator) }
}

/// A page within the frame that all have.
struct Page: Sendable {
    let title: String
    /// Of the navigation, which is to be marked.
    var place: String?
    /// HTML.
    let main: String
    /// It is asked for again when something has changed.
    var isLive = false
    var status = 200
}

/// The frame of all pages.
struct Layout {
    struct Link {
        let href: String
        let text: String
        /// The key behind `g` that goes there.
        let key: String
        let isCurrent: Bool
    }

    let title: String
    let links: [Link]
    let main: String
    let isLive: Bool
    /// Nil before somebody has logged in.
    let user: String?
    let roles: String
    /// There is somebody to log out.
    let canLeave: Bool
    let csrf: String
    /// What the last change has done.
    let notice: String?
    let version = JobReactorVersion.current
    let style = Assets.stylePath
    let script = Assets.scriptPath

    private static let places = [
        ("/", "Overview", "o"), ("/jobs", "Jobs", "j"), ("/names", "Names", "n"), ("/schedules", "Schedules", "s"),
        ("/nodes", "Nodes", "d"),
    ]

    init(_ page: Page, for user: User?, canLeave: Bool, csrf: String, notice: String?) {
        title = page.title
        main = page.main
        isLive = page.isLive
        self.user = user?.name
        roles = user.map { $0.has(.admin) ? "all roles" : $0.roleNames } ?? ""
        self.canLeave = canLeave
        self.csrf = csrf
        self.notice = notice
        links =
            user == nil
            ? []
            : Self.places.map { href, text, key in
                Link(href: href, text: text, key: key, isCurrent: href == page.place)
            }
    }

    var html: String { Templates.standard.render(.layout, self) }
}

/// A few words instead of a page.
struct MessagePage {
    let title: String
    let lines: [String]
    let back: String?

    static func page(_ title: String, _ lines: [String], back: String? = nil, status: Int) -> Page {
        let main = Templates.standard.render(.message, MessagePage(title: title, lines: lines, back: back))
        return Page(title: title, main: main, status: status)
    }
}

struct LoginPage {
    /// Where to go then.
    let next: String
    let problem: String?

    static func page(next: String, problem: String? = nil, status: Int = 200) -> Page {
        Page(
            title: "Log in", main: Templates.standard.render(.login, LoginPage(next: next, problem: problem)),
            status: status)
    }
}

/// What is asked before a change that cannot be taken back.
struct ConfirmPage {
    let question: String
    let notes: [String]
    /// On the button.
    let verb: String
    /// Where the form goes; nil where there is nothing to do.
    let action: String?
    let back: String
    let csrf: String

    func page(_ title: String, at place: String) -> Page {
        Page(title: title, place: place, main: Templates.standard.render(.confirm, self))
    }
}
