import JobReactorCore
import JobReactorTesting
import Testing

@Suite struct ZoneRulesTests {
    private static func at(_ seconds: Int64) -> Timestamp { Timestamp(microseconds: seconds * 1_000_000) }

    @Test("offsets are those of the changes, then those of the rule for later years")
    func changes() throws {
        let zone = try ZoneRules(
            file: zoneFile(
                offsets: [-100, 3600, 7200],
                // The second changes nothing.
                changes: [(0, 1), (500, 1), (1000, 2), (1_767_225_600, 1)], footer: "CET-1CEST,M3.5.0,M10.5.0/3"))
        let expected: [(Int64, Int)] = [
            (-1, -100), (.min / 1_000_000, -100), (0, 3600), (999, 3600), (1000, 7200), (1_767_225_599, 7200),
            (1_767_225_600, 3600), (1_774_745_999, 3600), (1_774_746_000, 7200), (1_792_889_999, 7200),
            (1_792_890_000, 3600), (.max / 1_000_000, 3600),
        ]
        for (time, offset) in expected.dropLast() { #expect(zone.offset(at: Self.at(time)) == offset, "\(time)") }
        let span = zone.span(at: 10)
        #expect(span == ZoneRules.Span(start: 0, end: 1000, offset: 3600, before: -100, after: 7200))
        #expect(zone.span(at: 1_767_225_600).before == 7200)
        #expect(zone.span(at: 1_767_225_600).end == 1_774_746_000)
        #expect(zone.span(at: -5).start == .min && zone.span(at: -5).before == -100)
    }

    @Test("without a rule the last offset stays, and without a change the rule alone counts")
    func withoutRule() throws {
        let stays = try ZoneRules(file: zoneFile(offsets: [0, 60], changes: [(100, 1)]))
        #expect(stays.span(at: 200) == ZoneRules.Span(start: 100, end: .max, offset: 60, before: 0, after: 60))
        let alone = try ZoneRules(file: zoneFile(offsets: [60], footer: "<+0330>-3:30"))
        #expect(
            alone.span(at: 0) == ZoneRules.Span(start: .min, end: .max, offset: 12_600, before: 12_600, after: 12_600))
        #expect(ZoneRules.utc.offset(at: Self.at(1_000_000)) == 0)
        #expect(try ZoneRules(file: zoneFile(footer: "UTC0")).span(at: 5).offset == 0)
    }

    @Test("where the rule does not go on as the changes end, it counts from the last on")
    func inconsistent() throws {
        let zone = try ZoneRules(file: zoneFile(offsets: [0, 60], changes: [(0, 1), (100, 0)], footer: "AAA-1"))
        #expect(zone.offset(at: Self.at(50)) == 60)
        #expect(zone.offset(at: Self.at(100)) == 3600)
        #expect(zone.span(at: 200).start == 100 && zone.span(at: 200).before == 60)
    }

    @Test(
        "a rule is read as POSIX writes it, with what RFC 9636 adds",
        arguments: [
            // In 2028, a leap year: the first second of daylight saving time, and the first after it.
            ("CET-1CEST,M3.5.0,M10.5.0/3", 1_837_645_200, 1_856_394_000, 3600, 7200),
            ("EST5EDT,M3.2.0,M11.1.0", 1_836_457_200, 1_857_016_800, -18_000, -14_400),
            ("AAA0BBB,J60,J300/2", 1_835_488_800, 1_856_221_200, 0, 3600),
            ("AAA0BBB,59,300/2:30:15", 1_835_402_400, 1_856_223_015, 0, 3600),
            ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 1_837_645_200, 1_856_394_000, -7200, -3600),
            ("IST-1GMT0,M10.5.0,M3.5.0/1", 1_856_394_000, 1_869_094_800, 3600, 0),
            ("AAA0BBB-2:30,J10/0,J365/0", 1_831_075_200, 1_861_824_600, 0, 9000),
        ] as [(String, Int64, Int64, Int, Int)])
    func rules(text: String, start: Int64, end: Int64, standard: Int, daylight: Int) throws {
        let zone = try ZoneRules(file: zoneFile(footer: text))
        #expect(zone.offset(at: Self.at(start - 1)) == standard)
        #expect(zone.offset(at: Self.at(start)) == daylight)
        #expect(zone.offset(at: Self.at(end - 1)) == daylight, "\(zone.span(at: start))")
        #expect(zone.offset(at: Self.at(end)) == standard)
        let span = zone.span(at: start)
        #expect(span == ZoneRules.Span(start: start, end: end, offset: daylight, before: standard, after: standard))
    }

    @Test("daylight saving that never ends has no changes")
    func always() throws {
        let zone = try ZoneRules(file: zoneFile(footer: "XXX3EDT4,0/0,J365/23"))
        var time: Int64 = 4_000_000_000
        for _ in 0..<20 {
            let span = zone.span(at: time)
            #expect(span.offset == -14_400 && span.before == -14_400 && span.after == -14_400)
            time = span.end
        }
    }

    @Test(
        "what is no rule is refused",
        arguments: [
            "CE-1", "CET", "CET-", "CET-25", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0", "CET-1:60",
            "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,J1", "CET-1CEST,J366,J1",
            "CET-1CEST,366,1", "CET-1CEST,M3.5.0/168,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0 ", "<+03-3",
            "CET-1CEST,M3.5,M10.5.0",
            "CET-0001", "\u{0}\u{0}\u{0}0", "CET--1",
        ])
    func noRules(text: String) {
        #expect(throws: ZoneFileError.self, "\(text)") { try ZoneRules(file: zoneFile(footer: text)) }
    }

    @Test("what is no file of time zone data is refused")
    func noFiles() {
        let good = zoneFile(offsets: [0, 60], changes: [(0, 1), (10, 0)])
        for length in good.indices {
            #expect(throws: ZoneFileError.self) { try ZoneRules(file: Array(good[..<length])) }
        }
        #expect(throws: ZoneFileError.self) { try ZoneRules(file: good + [65]) }
        for (file, reason) in [
            (Array("GIF89a".utf8) + good, "it is not a time zone file"),
            (zoneFile(changes: [(0, 1)]), "it refers to a missing offset"),
            (zoneFile(changes: [(10, 0), (10, 0)]), "its transitions are out of order"),
            (zoneFile(changes: [(10, 0), (9, 0)]), "its transitions are out of order"),
            (zoneFile(offsets: []), "it has an offset of more than 26 hours, or none"),
            (zoneFile(offsets: [93_600]), "it has an offset of more than 26 hours, or none"),
            (zoneFile(offsets: [.min]), "it has an offset of more than 26 hours, or none"),
            (zoneFile(leapSeconds: 1), "it counts leap seconds"),
        ] {
            let error = #expect(throws: ZoneFileError.self) { try ZoneRules(file: file) }
            #expect(error?.description == reason)
        }
    }

    @Test("a file whose bytes are wrong is refused, or has rules that end in time", arguments: [1, 2, 3] as [UInt64])
    func hostile(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let good = zoneFile(
            offsets: [-100, 3600, 7200], changes: [(.min, 0), (0, 1), (1000, 2), (.max, 1)],
            footer: "CET-1CEST,M3.5.0,M10.5.0/3")
        #expect(throws: Never.self) { try ZoneRules(file: good) }
        for _ in 0..<2000 {
            var file = good
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: file.indices, using: &random)
                file[place] =
                    Bool.random(using: &random)
                    ? .random(in: 0...255, using: &random) : [0, 255, 127].randomElement(using: &random) ?? 0
            }
            if Bool.random(using: &random) { file.removeLast(Int.random(in: 0...20, using: &random)) }
            guard let zone = try? ZoneRules(file: file) else { continue }
            var time: Int64 = -100_000
            for _ in 0..<50 where time < 1 << 40 {
                let span = zone.span(at: time)
                try #require(span.start <= time && span.end > time, "seed \(seed)")
                time = span.end
            }
            for spec in ["30 2 * * *", "0 0 29 2 *", "* * * * * *"] {
                for (gap, repetition) in [(DaylightGap.run, DaylightRepeat.last), (.skip, .both)] {
                    let times = ScheduleTimes(
                        try ScheduleSpec(parsing: spec), in: zone, gap: gap, repetition: repetition)
                    let from = Self.at(.random(in: -10_000...3_000_000_000, using: &random))
                    if let next = times.next(after: from, countedFrom: from) { try #require(next.at > from) }
                }
            }
        }
    }
}
