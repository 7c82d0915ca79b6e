import JobReactorCore
import Logging
import NIOCore
import NIOPosix
import Testing
import Tracing

@testable import JobReactorCommand

/// Spans on their way to a collector that is there, away, or does not want them.
@Suite(.timeLimit(.minutes(5))) struct SpanExportTests {
    /// A collector that answers as it is told to.
    private final class Collector: Sendable {
        private let state: Locked<(answers: [SpanExport.Outcome], got: [[String]])>

        /// One answer after the other; then everything is taken.
        init(_ answers: [SpanExport.Outcome] = []) { state = Locked((answers, [])) }

        /// The names of the spans of each request.
        var got: [[String]] { state.withLock { $0.got } }

        func take(_ spans: [ExportedSpan.Finished]) -> SpanExport.Outcome {
            state.withLock { state in
                state.got.append(spans.map(\.name))
                return state.answers.isEmpty ? .taken : state.answers.removeFirst()
            }
        }
    }

    private struct Log: LogHandler {
        let lines: Locked<[String]>
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let reason = event.metadata?["reason"].map { ": \($0)" } ?? ""
            lines.withLock { $0.append("\(event.message)\(reason)") }
        }
    }

    private let lines = Locked<[String]>([])

    private func export(
        to collector: Collector, interval: TimeAmount = .milliseconds(1)
    ) -> SpanExport {
        let lines = lines
        let logger = Logger(label: "test") { _ in Log(lines: lines) }
        return SpanExport(on: MultiThreadedEventLoopGroup.singleton.next(), logger: logger, interval: interval) {
            collector.take($0)
        }
    }

    private static func span(_ name: String) -> ExportedSpan.Finished {
        ExportedSpan.Finished(
            identity: SpanIdentity(share: 1), parent: nil, kind: .internal, start: 1, end: 2, name: name)
    }

    @Test func theyComeInTheirOrderAndTogether() async throws {
        let collector = Collector()
        let export = export(to: collector, interval: .seconds(3600))
        let names = (0..<2 * SpanExport.batch + 10).map { "\($0)" }
        for name in names { export.add(Self.span(name)) }
        try await eventually("two full requests") { collector.got.count >= 2 }
        await export.finish(within: .seconds(120))
        #expect(collector.got.map(\.count) == [SpanExport.batch, SpanExport.batch, 10])
        #expect(collector.got.flatMap(\.self) == names)
        export.add(Self.span("late"))
        #expect(export.dropped == 1 && collector.got.count == 3 && lines.withLock { $0 }.isEmpty)
    }

    @Test func whatIsNotTakenIsSentAgainAndToldOfOnce() async throws {
        let collector = Collector([.deferred("gone"), .deferred("gone"), .taken])
        let export = export(to: collector)
        export.add(Self.span("a"))
        try await eventually("it is taken") { collector.got.count == 3 }
        #expect(collector.got == [["a"], ["a"], ["a"]])
        try await eventually("the log") {
            lines.withLock { $0 } == ["spans cannot be sent; trying again: gone", "spans are sent again"]
        }
        await export.finish(within: .seconds(120))
        #expect(export.dropped == 0)
    }

    @Test func whatIsRefusedIsDropped() async throws {
        let collector = Collector([.refused("it answers 400"), .refused("it answers 400")])
        let export = export(to: collector)
        export.add(Self.span("a"))
        try await eventually("the first") { export.dropped == 1 }
        export.add(Self.span("b"))
        try await eventually("the second") { export.dropped == 2 }
        export.add(Self.span("c"))
        try await eventually("the third is taken") { collector.got.count == 3 }
        await export.finish(within: .seconds(120))
        #expect(export.dropped == 2)
        #expect(
            lines.withLock { $0 } == [
                "the collector refuses spans, which are dropped: it answers 400", "spans are sent again",
            ])
    }

    @Test func aCollectorThatIsAwayTakesNoMoreThanSomeMemory() async throws {
        let collector = Collector(Array(repeating: .deferred("gone"), count: 1000))
        let export = export(to: collector, interval: .seconds(3600))
        let count = 3 * SpanExport.mostWaiting
        for number in 0..<count { export.add(Self.span("\(number)")) }
        #expect(export.dropped >= count - SpanExport.mostWaiting - SpanExport.batch)
        await export.finish(within: .seconds(120))
        // It was asked for the last time at the end.
        #expect(export.dropped == count)
        #expect(collector.got.allSatisfy { $0.count == SpanExport.batch })
    }

    @Test func theEndWaitsForNobodyForLong() async throws {
        let export = SpanExport(
            on: MultiThreadedEventLoopGroup.singleton.next(), logger: Logger(label: "test") { _ in Log(lines: lines) },
            interval: .milliseconds(1)
        ) { _ in
            // Longer than any test.
            try? await Task.sleep(for: .seconds(3600))
            return .taken
        }
        export.add(Self.span("a"))
        await export.finish(within: .milliseconds(50))
        await export.finish(within: .milliseconds(50))
    }
}
