internal import DequeModule
package import NIOCore

/// Delays answers to wrong passwords: the more come from an address, the later each is answered.
///
/// The first is answered after 0.1 s, each further one after twice the time, at most 5 s; an address is forgotten after
/// a minute without one. At most the last 10,000 addresses are remembered.
package struct WrongPasswords {
    package enum Answer: Equatable {
        case after(TimeAmount)
        /// Too many answers wait, so this password gets none.
        case never
    }

    /// The number for all addresses since the start.
    package private(set) var count = 0
    private var guessers: [PeerNetwork: Guesser] = [:]
    /// The addresses in the order in which they came here first.
    private var row: Deque<PeerNetwork> = []
    private let most: Int

    private struct Guesser {
        var wrong = 0
        var waiting = 0
        var last: NIODeadline
    }

    static let shortest = TimeAmount.milliseconds(100)
    static let longest = TimeAmount.seconds(5)
    static let memory = TimeAmount.seconds(60)
    /// The largest number of wrong passwords of one address that wait for their answers.
    static let mostWaiting = 100
    /// The largest number of remembered addresses.
    package static let mostKnown = 10_000

    package init(most: Int = mostKnown) { self.most = most }

    /// A wrong password has arrived. If its answer is delayed, call ``answered(_:)`` afterwards.
    package mutating func wrong(from peer: PeerNetwork, at now: NIODeadline) -> Answer {
        count += 1
        if guessers[peer] == nil {
            while row.count >= most, let oldest = row.popFirst() { guessers[oldest] = nil }
            row.append(peer)
        }
        var guesser = guessers[peer] ?? Guesser(last: now)
        if guesser.waiting == 0, now - guesser.last >= Self.memory { guesser.wrong = 0 }
        guesser.wrong += 1
        guesser.last = now
        defer { guessers[peer] = guesser }
        guard guesser.waiting < Self.mostWaiting else { return .never }
        guesser.waiting += 1
        return .after(Self.delay(guesser.wrong))
    }

    package mutating func answered(_ peer: PeerNetwork) {
        if let waiting = guessers[peer]?.waiting, waiting > 0 { guessers[peer]?.waiting = waiting - 1 }
    }

    private static func delay(_ wrong: Int) -> TimeAmount {
        let doublings = min(wrong - 1, 20)
        return min(longest, .nanoseconds(shortest.nanoseconds << Int64(doublings)))
    }
}

/// Where a peer is, as far as one who would be many can choose: an IPv4 address, or the half of an IPv6 address that names
/// the network.
package enum PeerNetwork: Hashable, Sendable {
    case ipv4(UInt32)
    case ipv6(UInt64)
    /// A socket that has no address, such as one of this machine.
    case none

    package init(_ address: SocketAddress?) {
        guard let bytes = IPAddress(address)?.bytes else {
            self = .none
            return
        }
        func number(_ range: Range<Int>) -> UInt64 { bytes[range].reduce(0) { $0 << 8 | UInt64($1) } }
        self = bytes.count == 4 ? .ipv4(UInt32(number(0..<4))) : .ipv6(number(0..<8))
    }
}
