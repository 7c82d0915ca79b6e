import NIOCore
import Testing

@testable import JobReactorWire

@Suite struct KeepaliveTests {
    @Test("the interval is 10 s and the timeout 30 s unless told")
    func defaults() {
        #expect(Keepalive().interval == .seconds(10))
        #expect(Keepalive().timeout == .seconds(30))
    }

    @Test(
        "what to do, so many seconds after the last byte sent and the last received",
        arguments: [
            (0, 0, .idle), (9, 0, .idle), (10, 0, .ping), (1000, 0, .ping), (0, 29, .idle), (9, 29, .idle),
            (10, 29, .ping), (0, 30, .dead), (10, 30, .dead), (1000, 1000, .dead),
        ] as [(Int64, Int64, Keepalive.Decision)])
    func decisions(sent: Int64, received: Int64, decision: Keepalive.Decision) {
        let now = NIODeadline.uptimeNanoseconds(0) + .hours(1)
        var keepalive = Keepalive()
        keepalive.note(sentAt: now - .seconds(sent), receivedAt: now - .seconds(received))
        expect(keepalive.check(at: now) == decision)
    }

    @Test("sent and received are noted each on its own")
    func notes() {
        let start = NIODeadline.uptimeNanoseconds(0) + .hours(1)
        var keepalive = Keepalive(interval: .seconds(1), timeout: .seconds(5))
        keepalive.note(sentAt: start, receivedAt: start)
        expect(keepalive.check(at: start + .milliseconds(999)) == .idle)
        expect(keepalive.check(at: start + .seconds(1)) == .ping)
        keepalive.note(sentAt: start + .seconds(4), receivedAt: nil)
        expect(keepalive.check(at: start + .milliseconds(4_999)) == .idle)
        expect(keepalive.check(at: start + .seconds(5)) == .dead)
        keepalive.note(sentAt: nil, receivedAt: start + .seconds(4))
        expect(keepalive.check(at: start + .seconds(5)) == .ping)
    }

    @Test("a side that was held up itself gives the other an interval more") func late() {
        let start = NIODeadline.now()
        var keepalive = Keepalive()
        keepalive.note(sentAt: start, receivedAt: start)
        expect(keepalive.check(at: start + .seconds(10)) == .ping)
        // Frozen for a minute: nothing could be read meanwhile.
        expect(keepalive.check(at: start + .seconds(70)) == .ping)
        expect(keepalive.check(at: start + .seconds(80)) == .dead)
        keepalive.note(sentAt: nil, receivedAt: start + .seconds(81))
        expect(keepalive.check(at: start + .seconds(90)) == .ping)
    }

    @Test("a link has the time of its limits, and says something three times as often", arguments: [30, 300, 1])
    func limits(_ seconds: Int) {
        let keepalive = Keepalive(RESPLimits(silenceTime: seconds))
        #expect(keepalive.timeout == .seconds(Int64(max(3, seconds))))
        #expect(keepalive.interval == .seconds(Int64(max(3, seconds) / 3)))
    }
}

private func expect(_ isSo: Bool, sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(isSo, sourceLocation: sourceLocation)
}
