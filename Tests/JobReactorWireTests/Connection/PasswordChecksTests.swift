import Testing

@testable import JobReactorWire

@Suite("Whose password is checked next") struct PasswordChecksTests {
    /// Writes down which check begins.
    private final class Begun {
        var keys: [Int] = []
    }

    private let begun = Begun()

    private func add(_ key: Int, _ peer: UInt32, to checks: inout PasswordChecks<Int>) {
        checks.add(key, from: .ipv4(peer)) { [begun] in begun.keys.append(key) }
    }

    private func begin(_ checks: inout PasswordChecks<Int>) {
        while let begin = checks.next() { begin() }
    }

    @Test("of an address one at a time, in the order in which they came; of several each in its turn")
    func turns() {
        var checks = PasswordChecks<Int>()
        for key in 1...3 { add(key, 1, to: &checks) }
        add(4, 2, to: &checks)
        begin(&checks)
        #expect(begun.keys == [1, 4])
        checks.ended()
        begin(&checks)
        // It was wrong, and the address is at rest.
        #expect(begun.keys == [1, 4] && checks.waitingCount == 2)
        checks.rested(.ipv4(1))
        begin(&checks)
        #expect(begun.keys == [1, 4, 2])
    }

    @Test("of all addresses no more than a bound are under way")
    func bound() {
        var checks = PasswordChecks<Int>()
        for key in 0..<200 { add(key, UInt32(key), to: &checks) }
        begin(&checks)
        let most = PasswordChecks<Int>.most
        #expect(begun.keys == Array(0..<most))
        for key in 0..<10 {
            checks.ended()
            checks.rested(.ipv4(UInt32(key)))
        }
        begin(&checks)
        #expect(begun.keys == Array(0..<(most + 10)))
        #expect(checks.waitingCount == 190 - most)
    }

    @Test("who has gone waits for nothing, and takes no turn")
    func gone() {
        var checks = PasswordChecks<Int>()
        for key in 1...3 { add(key, 1, to: &checks) }
        begin(&checks)
        checks.remove(2, from: .ipv4(1))
        checks.ended()
        checks.rested(.ipv4(1))
        begin(&checks)
        #expect(begun.keys == [1, 3] && checks.waitingCount == 0)
        // One that is under way, and one that never was.
        checks.remove(3, from: .ipv4(1))
        checks.remove(9, from: .ipv4(7))
        checks.ended()
        checks.rested(.ipv4(1))
        // The only one of an address whose turn it would be.
        add(4, 2, to: &checks)
        checks.remove(4, from: .ipv4(2))
        add(5, 2, to: &checks)
        begin(&checks)
        #expect(begun.keys == [1, 3, 5])
    }
}
