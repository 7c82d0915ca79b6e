import JobReactorCore
import Testing

@testable import JobReactorNode

@Suite("The health of a node's storage") struct StorageHealthTests {
    enum Event: Sendable {
        case refused(String)
        case succeeded
    }

    @Test(
        "is told when it changes, and with its first reason",
        arguments: [
            ([], [], nil),
            ([.succeeded], [.none], nil),
            ([.refused("full")], [.refuses], "full"),
            ([.refused("full"), .refused("full")], [.refuses, .none], "full"),
            ([.refused("full"), .refused("gone")], [.refuses, .none], "gone"),
            ([.refused("full"), .succeeded], [.refuses, .works], nil),
            ([.refused("full"), .succeeded, .succeeded], [.refuses, .works, .none], nil),
            ([.refused("full"), .succeeded, .refused("full")], [.refuses, .works, .refuses], "full"),
        ] as [([Event], [StorageHealth.Change], String?)])
    func transcript(events: [Event], changes: [StorageHealth.Change], error: String?) {
        var health = StorageHealth()
        let made = events.map { event in
            switch event {
            case .refused(let reason): health.refused(StorageError(reason))
            case .succeeded: health.succeeded()
            }
        }
        #expect(made == changes)
        #expect(health.error?.message == error)
        #expect(health.isRefusing == (error != nil))
    }

    @Test(
        "asks for one job at a time, whatever came again after a lost connection",
        arguments: [(0, 64, 1), (1, 63, 0), (5, 59, 0), (0, 0, 0), (-1, 64, 2), (-30, 64, 31), (-100, 64, 64)])
    func trial(unused: Int, withheld: Int, granted: Int) {
        #expect(StorageHealth.trialCredit(unused: unused, withheld: withheld) == granted)
    }
}
