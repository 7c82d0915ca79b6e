import JobReactorTesting
import JobReactorWire
import NIOCore
import Testing

@testable import JobReactor

@Suite("Shares of the memory for what waits") struct MemorySharesTests {
    private static func holder(_ user: String, _ network: UInt32 = 1) -> MemoryShares.Holder {
        MemoryShares.Holder(user: user, network: .ipv4(network))
    }

    @Test("connections of one user from one network have one account, others have others")
    func accounts() {
        var shares = MemoryShares(limit: 1000)
        let first = shares.open(Self.holder("a"))
        #expect(shares.open(Self.holder("a")) == first)
        let others = [shares.open(Self.holder("b")), shares.open(Self.holder("a", 2)), MemoryShares.own]
        #expect(Set(others + [first]).count == 4)
        shares.close(first)
        shares.close(first)
        // Its number is free again, as nothing of it is here.
        #expect(shares.open(Self.holder("c")) == first)
        shares.add(10, to: first)
        shares.close(first)
        #expect(shares.open(Self.holder("d")) != first)
        shares.add(-10, to: first)
        #expect(shares.open(Self.holder("e")) == first)
    }

    @Test("who is first has nine tenths, and the last is for those who have little, in equal parts")
    func reserve() {
        var shares = MemoryShares(limit: 10_000)
        let (greedy, small) = (shares.open(Self.holder("greedy")), shares.open(Self.holder("small")))
        shares.add(8_999, to: greedy)
        #expect(!shares.isShort && shares.mayTake(from: greedy))
        shares.add(1, to: greedy)
        #expect(shares.isShort && !shares.mayTake(from: greedy))
        // 1000 for one holder and the next.
        #expect(shares.mayTake(from: small))
        shares.add(333, to: small)
        #expect(shares.holderCount == 2 && !shares.mayTake(from: small))
        shares.add(-1, to: small)
        #expect(shares.mayTake(from: small))
        // Even of those nobody passes the limit.
        shares.add(667, to: greedy)
        #expect(shares.mayTake(from: small))
        shares.add(1, to: greedy)
        #expect(shares.total == 10_000 && !shares.mayTake(from: small))
    }

    @Test("it is short until a fifth is free")
    func room() {
        var shares = MemoryShares(limit: 10_000)
        shares.add(9_000, to: MemoryShares.own)
        #expect(shares.isShort && !shares.hasRoom)
        shares.add(-1, to: MemoryShares.own)
        #expect(!shares.isShort && !shares.hasRoom)
        shares.add(-999, to: MemoryShares.own)
        #expect(!shares.hasRoom)
        shares.add(-1, to: MemoryShares.own)
        #expect(shares.hasRoom)
    }

    @Test("there are so many accounts; who comes then shares one")
    func bounded() {
        var shares = MemoryShares(limit: 1000)
        for number in 2..<UInt32(MemoryShares.most) { _ = shares.open(Self.holder("many", number)) }
        #expect(shares.open(Self.holder("late")) == MemoryShares.others)
        #expect(shares.open(Self.holder("later")) == MemoryShares.others)
        shares.add(5, to: MemoryShares.others)
        shares.close(MemoryShares.others)
        shares.add(-5, to: MemoryShares.others)
        #expect(shares.total == 0 && shares.holderCount == 0)
    }

    @Test("sums are right whatever comes and goes", arguments: [UInt64(1), 2, 3])
    func random(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var shares = MemoryShares(limit: 100_000)
        var open: [(account: MemoryShares.Account, holder: MemoryShares.Holder)] = []
        var pieces: [(account: MemoryShares.Account, bytes: Int)] = []
        for _ in 0..<3000 {
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                let holder = Self.holder("u", UInt32.random(in: 0..<20, using: &random))
                let account = shares.open(holder)
                // Whoever is connected still has the number that it had.
                if let known = open.first(where: { $0.holder == holder }) { try #require(known.account == account) }
                try #require(!open.contains { $0.account == account && $0.holder != holder })
                open.append((account, holder))
            case 1 where !open.isEmpty:
                shares.close(open.remove(at: Int.random(in: 0..<open.count, using: &random)).account)
            case 2 where !open.isEmpty:
                let piece = (
                    open[Int.random(in: 0..<open.count, using: &random)].account,
                    Int.random(in: 1..<500, using: &random)
                )
                shares.add(piece.1, to: piece.0)
                pieces.append(piece)
            case 3 where !pieces.isEmpty:
                let piece = pieces.remove(at: Int.random(in: 0..<pieces.count, using: &random))
                shares.add(-piece.bytes, to: piece.account)
            default: break
            }
            let sums = pieces.reduce(into: [MemoryShares.Account: Int]()) { $0[$1.account, default: 0] += $1.bytes }
            try #require(shares.total == sums.values.reduce(0, +) && shares.holderCount == sums.count)
            for (account, bytes) in sums { try #require(shares.bytes(of: account) == bytes) }
        }
    }
}
