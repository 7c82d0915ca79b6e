import NIOCore
import Testing

@testable import JobReactorWire

@Suite("Wrong passwords") struct WrongPasswordsTests {
    private static func at(_ seconds: Int64) -> NIODeadline { .uptimeNanoseconds(0) + .seconds(seconds) }

    @Test("each of an address is answered after twice the time of the one before, at most 5 s")
    func grows() {
        var wrong = WrongPasswords()
        var delays: [Int64] = []
        for _ in 0..<9 {
            guard case .after(let time) = wrong.wrong(from: .ipv4(1), at: Self.at(1)) else { continue }
            delays.append(time.nanoseconds / 1_000_000)
            wrong.answered(.ipv4(1))
        }
        #expect(delays == [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000])
        let other = wrong.wrong(from: .ipv4(2), at: Self.at(1))
        #expect(other == .after(.milliseconds(100)))
        #expect(wrong.count == 10)
    }

    @Test("a minute without one, and it is forgotten; not while one waits for its answer")
    func forgets() {
        var wrong = WrongPasswords()
        for _ in 0..<3 {
            _ = wrong.wrong(from: .ipv4(1), at: Self.at(1))
            wrong.answered(.ipv4(1))
        }
        var answer = wrong.wrong(from: .ipv4(1), at: Self.at(60))
        #expect(answer == .after(.milliseconds(800)))
        answer = wrong.wrong(from: .ipv4(1), at: Self.at(121))
        #expect(answer == .after(.milliseconds(1600)))
        wrong.answered(.ipv4(1))
        wrong.answered(.ipv4(1))
        answer = wrong.wrong(from: .ipv4(1), at: Self.at(182))
        #expect(answer == .after(.milliseconds(100)))
    }

    @Test("of more than 100 that wait at once the others get no answer")
    func waiting() {
        var wrong = WrongPasswords()
        for _ in 0..<100 { #expect(Self.isAnswered(&wrong)) }
        #expect(!Self.isAnswered(&wrong))
        wrong.answered(.none)
        #expect(Self.isAnswered(&wrong))
    }

    private static func isAnswered(_ wrong: inout WrongPasswords) -> Bool {
        wrong.wrong(from: .none, at: at(1)) != .never
    }

    @Test("so many addresses are remembered, and the first is forgotten for one more")
    func bounded() {
        var wrong = WrongPasswords(most: 3)
        for number in 1...4 as ClosedRange<UInt32> {
            for _ in 0..<2 {
                _ = wrong.wrong(from: .ipv4(number), at: Self.at(1))
                wrong.answered(.ipv4(number))
            }
        }
        var answer = wrong.wrong(from: .ipv4(4), at: Self.at(1))
        #expect(answer == .after(.milliseconds(400)))
        answer = wrong.wrong(from: .ipv4(1), at: Self.at(1))
        #expect(answer == .after(.milliseconds(100)))
    }

    @Test("an IPv6 peer is its network, and an IPv4 address the same in IPv6's clothes")
    func networks() throws {
        func network(_ address: String) throws -> PeerNetwork {
            PeerNetwork(try SocketAddress(ipAddress: address, port: 1))
        }
        #expect(try network("2001:db8:1:2::1") == network("2001:db8:1:2:ffff::9"))
        #expect(try network("2001:db8:1:2::1") != network("2001:db8:1:3::1"))
        #expect(try network("::ffff:10.1.2.3") == network("10.1.2.3"))
        #expect(try network("10.1.2.3") == .ipv4(0x0A01_0203))
        #expect(PeerNetwork(nil) == .none)
    }
}
