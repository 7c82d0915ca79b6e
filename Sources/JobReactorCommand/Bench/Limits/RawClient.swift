private import JobReactorCore
internal import JobReactorWire
internal import NIOCore
private import NIOPosix

/// Sends one message again and again, over one connection or several, on a thread of its own, and counts the answers: as
/// fast a client as can be.
final class RawClient: Sendable {
    private let group: MultiThreadedEventLoopGroup
    private let loop: any EventLoop
    private let traffic: NIOLoopBound<Traffic>

    /// Connects; throws when the other side is not there.
    static func connect(to address: Address, connections: Int = 1) async throws -> RawClient {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let traffic = try await loop.submit { NIOLoopBound(Traffic(), eventLoop: loop) }.get()
        let client = RawClient(group, loop, traffic)
        for _ in 0..<connections {
            _ = try await loop.flatSubmit {
                Dialer.connect(to: address, on: loop, tls: nil) {
                    let stream = Stream(traffic.value)
                    let connection = Connection(role: .client, limits: RESPLimits(), session: stream)
                    stream.connection = connection
                    traffic.value.streams.append(stream)
                    return connection
                }
            }.get()
        }
        return client
    }

    private init(_ group: MultiThreadedEventLoopGroup, _ loop: any EventLoop, _ traffic: NIOLoopBound<Traffic>) {
        self.group = group
        self.loop = loop
        self.traffic = traffic
    }

    func close() async { try? await group.shutdownGracefully() }

    /// Sends the message so many times, with at most `inFlight` on their way over all connections. Returns messages for each
    /// second. A message of several commands gets as many answers. `latencies` get the time that each took.
    func rate(
        _ message: ByteBuffer, answers: Int = 1, count: Int, inFlight: Int, _ latencies: Latencies? = nil
    ) async throws -> Double {
        let traffic = traffic
        let start = ContinuousClock.now
        try await loop.flatSubmit { [loop] in
            let done = loop.makePromise(of: Void.self)
            traffic.value.start(message, answers, count: count, inFlight: inFlight, latencies, done)
            return done.futureResult
        }.get()
        return Double(count) / ((ContinuousClock.now - start) / .seconds(1))
    }

    /// Sends the message at a steady rate; the latencies count from when each was to be sent.
    func pace(_ message: ByteBuffer, count: Int, perSecond: Double, _ latencies: Latencies) async throws {
        let traffic = traffic
        let done = loop.makePromise(of: Void.self)
        try await loop.submit { traffic.value.expect(message, count: count, latencies, done) }.get()
        await Pacer.run(count: count, perSecond: perSecond) { [loop] times in
            loop.execute { traffic.value.send(dueAt: times) }
        }
        try await done.futureResult.get()
    }

    /// What all connections have in common. Bound to the loop.
    private final class Traffic {
        var streams: [Stream] = []
        private var message = ByteBuffer()
        private(set) var answersEach = 1
        private var unsent = 0
        private var unanswered = 0
        private var latencies: Latencies?
        private var done: EventLoopPromise<Void>?

        func start(
            _ message: ByteBuffer, _ answers: Int, count: Int, inFlight: Int, _ latencies: Latencies?,
            _ done: EventLoopPromise<Void>
        ) {
            answersEach = answers
            expect(message, count: count, latencies, done)
            unsent = count
            let share = max(1, inFlight / max(1, streams.count))
            for stream in streams { send(share, on: stream) }
        }

        func expect(_ message: ByteBuffer, count: Int, _ latencies: Latencies?, _ done: EventLoopPromise<Void>) {
            self.message = message
            self.latencies = latencies
            self.done = done
            unanswered = count
        }

        private func send(_ count: Int, on stream: Stream) {
            let count = min(count, unsent)
            unsent -= count
            let now = latencies == nil ? 0 : Pacer.now
            for _ in 0..<count { stream.send(message, at: latencies == nil ? nil : now) }
        }

        func send(dueAt times: [Int64]) {
            guard let stream = streams.first else { return }
            for time in times { stream.send(message, at: time) }
        }

        func answered(_ count: Int, on stream: Stream) {
            unanswered -= count
            if unanswered > 0 { return send(count, on: stream) }
            done?.succeed()
            done = nil
        }

        func note(_ sentAt: Int64) { latencies?.add(nanoseconds: Pacer.now - sentAt) }

        func lost(_ reason: String?) {
            done?.fail(WireError(.connect, "the other side of the benchmark has gone: \(reason ?? "closed")"))
            done = nil
        }
    }

    private final class Stream: ConnectionSession {
        private let traffic: Traffic
        weak var connection: Connection?
        private var answers = 0
        /// When those were sent whose time is measured.
        private var sent = CircularBuffer<Int64>()

        init(_ traffic: Traffic) { self.traffic = traffic }

        func send(_ message: ByteBuffer, at time: Int64?) {
            if let time { sent.append(time) }
            connection?.write { $0.writeImmutableBuffer(message) }
        }

        func received(_ frame: RESPFrame, on connection: Connection) {
            guard frame.kind(ofToken: 0) != .error else {
                return connection.closeNow(reason: RESPValue(frame).text)
            }
            answers += 1
            if let time = sent.popFirst() { traffic.note(time) }
        }

        func readCompleted(on connection: Connection) {
            let count = answers / traffic.answersEach
            answers %= traffic.answersEach
            if count > 0 { traffic.answered(count, on: self) }
        }

        func disconnected(_ connection: Connection, reason: String?) { traffic.lost(reason) }
    }
}
