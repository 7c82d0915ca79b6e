import JobReactorTesting
import Testing

@testable import JobReactorWire

@Suite struct BackoffTests {
    @Test(
        "waits double from 1 s to 10 s, and lose at most a quarter to the jitter",
        arguments: [
            (1.0.nextDown, [1, 2, 4, 8, 10, 10, 10]), (0.0, [1, 1.5, 3, 6, 7.5, 7.5, 7.5]),
            (0.5, [1, 1.75, 3.5, 7, 8.75, 8.75, 8.75]),
        ])
    func sequence(random: Double, waits: [Double]) {
        var backoff = Backoff()
        for wait in waits { #expect(abs(backoff.next(random: random) - wait) < 1e-9) }
    }

    @Test("it never gives up, and never waits longer")
    func forever() {
        var random = SeededGenerator(seed: 71)
        var backoff = Backoff()
        for _ in 0..<4 { _ = backoff.next(random: 0) }
        for _ in 0..<10_000 {
            let wait = backoff.next(random: Double.random(in: 0..<1, using: &random))
            #expect(wait >= 7.5 && wait <= 10)
        }
    }

    @Test("after a good connection the first wait is a second again")
    func reset() {
        var backoff = Backoff()
        for _ in 0..<5 { _ = backoff.next(random: 0.5) }
        backoff.reset()
        #expect(backoff == Backoff())
        #expect(backoff.next(random: 0.5) == 1)
        #expect(backoff.next(random: 0.5) == 1.75)
    }
}
