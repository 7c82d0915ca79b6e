import JobReactorCore
import NIOCore
import Testing

@testable import JobReactorNode

@Suite("The health of a node's storage") struct StorageHealthTests {
    enum Event: Sendable {
        /// So many seconds after the start.
        case refused(String, Int64)
        case succeeded(Int64)
        case trial(asksFor: Int)
    }

    /// Four good trials after a refusal.
    private static func goodTrials(after second: Int64) -> [Event] {
        [
            .trial(asksFor: 1), .succeeded(second + 1), .trial(asksFor: 2), .succeeded(second + 2),
            .trial(asksFor: 4), .succeeded(second + 3), .trial(asksFor: 8),
        ]
    }

    private typealias Transcript = ([[Event]], [StorageHealth.Change], String?)

    private static let transcripts: [Transcript] = [
        ([], [], nil),
        ([[.succeeded(1)]], [.none], nil),
        // Said once, and the last reason is shown.
        ([[.refused("full", 1)]], [.refuses], "full"),
        ([[.refused("full", 1), .refused("full", 2)]], [.refuses, .none], "full"),
        ([[.refused("full", 1), .refused("gone", 2)]], [.refuses, .none], "gone"),
        // One small write proves nothing.
        ([[.refused("full", 1), .succeeded(2)]], [.refuses, .none], "full"),
        (
            [[.refused("full", 1), .succeeded(2), .refused("full", 3), .succeeded(4), .refused("full", 5)]],
            [.refuses, .none, .none, .none, .none], "full"
        ),
        // Nor do many of one trial, however late; and where nothing is written nothing is known.
        (
            [[.refused("full", 1), .trial(asksFor: 1), .succeeded(2), .succeeded(9), .trial(asksFor: 2)]],
            [.refuses, .none, .none], "full"
        ),
        (
            [[.refused("full", 1), .trial(asksFor: 1), .trial(asksFor: 1), .trial(asksFor: 1), .succeeded(9)]],
            [.refuses, .none], "full"
        ),
        // Good trials do, after a time without a refusal.
        (
            [[.refused("full", 1)], goodTrials(after: 1), [.succeeded(5), .succeeded(6)]],
            [.refuses, .none, .none, .none, .works, .none], nil
        ),
        (
            [
                [.refused("full", 9)], goodTrials(after: 6),
                [.succeeded(10), .trial(asksFor: 16), .succeeded(11), .succeeded(12)],
            ],
            [.refuses, .none, .none, .none, .none, .none, .works], nil
        ),
        // A refusal on the way begins the trial anew, and says nothing.
        (
            [
                [.refused("full", 1)], goodTrials(after: 1), [.refused("full", 5)], goodTrials(after: 5),
                [.succeeded(9)],
            ],
            [.refuses, .none, .none, .none, .none, .none, .none, .none, .works], nil
        ),
        // One that comes back soon has to be good for twice as long; one that comes late has not.
        (
            [
                [.refused("full", 1)], goodTrials(after: 1), [.succeeded(5), .refused("full", 6)],
                goodTrials(after: 6), [.succeeded(11), .succeeded(12)],
            ],
            [.refuses, .none, .none, .none, .works, .refuses, .none, .none, .none, .none, .works], nil
        ),
        (
            [
                [.refused("full", 1)], goodTrials(after: 1), [.succeeded(5), .refused("full", 65)],
                goodTrials(after: 65), [.succeeded(69)],
            ],
            [.refuses, .none, .none, .none, .works, .refuses, .none, .none, .none, .works], nil
        ),
    ]

    @Test("is told when it changes for good, and with its last reason", arguments: transcripts.indices)
    func transcript(number: Int) {
        let (events, changes, error) = Self.transcripts[number]
        var health = StorageHealth()
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        var made: [StorageHealth.Change] = []
        for event in events.joined() {
            switch event {
            case .refused(let reason, let second):
                made.append(health.refused(StorageError(reason), at: start + .seconds(second)))
            case .succeeded(let second): made.append(health.succeeded(at: start + .seconds(second)))
            case .trial(let size): #expect(health.beginTrial() == size)
            }
        }
        #expect(made == changes)
        #expect(health.error?.message == error)
        #expect(health.isRefusing == (error != nil))
    }

    @Test("that keeps coming back has to be good for longer each time, up to a minute")
    func relapses() {
        var health = StorageHealth()
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
        var waits: [Int64] = []
        for _ in 0..<7 {
            #expect(health.refused(StorageError("full"), at: now) == .refuses)
            let refused = now
            while health.isRefusing {
                now = now + .seconds(1)
                _ = health.beginTrial()
                _ = health.succeeded(at: now)
            }
            waits.append((now - refused).nanoseconds / 1_000_000_000)
        }
        #expect(waits == [4, 6, 12, 24, 48, 60, 60])
    }

    @Test(
        "asks for so many jobs at a time, whatever came again after a lost connection",
        arguments: [
            (1, 0, 64, 1), (1, 1, 63, 0), (1, 5, 59, 0), (1, 0, 0, 0), (1, -1, 64, 2), (1, -30, 64, 31),
            (1, -100, 64, 64), (4, 0, 64, 4), (4, 3, 61, 1), (128, 0, 64, 64),
        ])
    func trial(size: Int, unused: Int, withheld: Int, granted: Int) {
        #expect(StorageHealth.trialCredit(size, unused: unused, withheld: withheld) == granted)
    }
}
