import Foundation
import JobReactorCore
import Testing

@testable import JobReactorDashboard

/// The parts of which pages are made.
@Suite struct PartsTests {
    @Test func aFilterSaysWhichJobsAreMeant() {
        let now = Timestamp(seconds: 1_750_000_000)
        func filter(_ text: String, _ state: String? = nil) -> JobsFilter { JobsFilter(text, state: state, now: now) }
        #expect(filter("").filter.isEmpty && filter("").problem == nil)
        #expect(filter("resize").filter == JobFilter(name: "resize"))
        #expect(
            filter("name:resize  error:\"timed out\" since:2h", "failed").filter
                == JobFilter(
                    name: "resize", status: .failed, since: Timestamp(seconds: 1_749_992_800), error: "timed out"))
        #expect(filter("since:1750000000").filter.since == now)
        #expect(filter("0193f0e2b5b0").id == "0193f0e2b5b0" && filter("id:01").id == "01")
        #expect(filter("cafe").filter.name == "cafe")
        for (text, state) in [
            ("version:ab", nil), ("name:", nil), ("since:soon", nil), ("since:-1h", nil), ("since:nan", nil),
            ("id:xyz", nil), ("", "broken"), ("\"a b\"", nil), (String(repeating: "a", count: 3000), nil),
            ("error:" + String(repeating: "a", count: 1025), nil),
        ] as [(String, String?)] {
            #expect(filter(text, state).problem != nil, "\(text.prefix(40))")
        }
        for name in ["greet", "a\"b", "a\\b\"", "\"\u{338}x", "\u{338}x", "name:a", "a:b"] {
            #expect(filter(JobsFilter.text(ofName: name)).filter.name == name)
        }
    }

    @Test func fieldsOfFormsAreReadAsBrowsersWriteThem() {
        let fields = FormFields(reading: "a=1+2&b=%C3%A9%2&c&a=3&d=&%zz=x&=y".utf8)
        #expect(fields["a"] == "1 2" && fields["b"] == "é%2" && fields["c"] == nil && fields["d"] == nil)
        #expect(fields["%zz"] == "x")
        #expect(FormFields(reading: "a=%+1".utf8)["a"] == "% 1")
        let text = "a b&c=d/é\"<>\u{0}\u{202E}"
        #expect(FormFields(reading: FormFields([("q", text)]).text.utf8)["q"] == text)
        #expect(FormFields.coded(text).allSatisfy { $0.isASCII && !"\"<>& ".contains($0) })
        #expect(FormFields(reading: String(repeating: "a=1&", count: 10_000).utf8).text.count < 1000)
    }

    @Test func jsonIsShownWithALineForEachValue() {
        #expect(
            PrettyJSON.shown("{\"a\":[1,\"x,{\\\"\"],\"b\":{}}").text == """
                {
                  "a": [
                    1,
                    "x,{\\""
                  ],
                  "b": {}
                }
                """)
        let deep = String(repeating: "[", count: 40_000)
        #expect(PrettyJSON.shown(deep).text == deep)
        let long = PrettyJSON.shown("\"" + String(repeating: "é", count: 100_000) + "\"")
        #expect(long.isCut && long.text.utf8.count <= PrettyJSON.most + 3)
    }

    @Test("words are read well on every state's colour, in light and dark", arguments: StateLook.allCases)
    func contrast(_ look: StateLook) {
        for isDark in [false, true] {
            let colours = look.colours(isDark: isDark)
            #expect(Self.contrast(colours.text, colours.ground) >= 4.5, "\(isDark)")
            let card = StateLook.Colour(hue: 0, saturation: 0, lightness: isDark ? 0.13 : 1)
            #expect(Self.contrast(colours.mark, card) >= 3, "\(isDark)")
        }
        #expect(StateLook.styleSheet.contains(".chip.\(look.style){"))
    }

    @Test("each state has a hue of its own") func hues() {
        #expect(Set(StateLook.allCases.map(\.hue)).count == StateLook.allCases.count)
        #expect(Set(JobStatus.allCases.map { StateLook($0) }).count == JobStatus.allCases.count)
    }

    private static func contrast(_ one: StateLook.Colour, _ other: StateLook.Colour) -> Double {
        let lights = [luminance(one), luminance(other)].sorted()
        return (lights[1] + 0.05) / (lights[0] + 0.05)
    }

    private static func luminance(_ colour: StateLook.Colour) -> Double {
        let chroma = colour.saturation * min(colour.lightness, 1 - colour.lightness)
        func channel(_ number: Double) -> Double {
            let place = (number + Double(colour.hue) / 30).truncatingRemainder(dividingBy: 12)
            let value = colour.lightness - chroma * max(-1, min(place - 3, 9 - place, 1))
            return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * channel(0) + 0.7152 * channel(8) + 0.0722 * channel(4)
    }

    @Test func throughputIsCountedByMinutes() {
        let throughput = Throughput()
        let now = Timestamp(seconds: 1_750_000_020)
        throughput.note(Throughput.Counts(enqueued: 100, succeeded: 90, failed: 5), at: now)
        throughput.note(
            Throughput.Counts(enqueued: 110, succeeded: 97, failed: 6), at: now.advanced(bySeconds: 10))
        throughput.note(
            Throughput.Counts(enqueued: 111, succeeded: 98, failed: 6), at: now.advanced(bySeconds: 60))
        let read = throughput.read(at: now.advanced(bySeconds: 61))
        #expect(read.minutes.count == 60 && read.since == now)
        #expect(
            read.minutes.suffix(2).map(\.counts) == [
                Throughput.Counts(enqueued: 10, succeeded: 7, failed: 1),
                Throughput.Counts(enqueued: 1, succeeded: 1, failed: 0),
            ])
        let chart = ThroughputChart(throughput, at: now.advanced(bySeconds: 61))
        #expect(chart.summary.hasSuffix("11 enqueued, 8 good runs, 1 failed."))
        #expect(chart.picture.matches(of: /<rect/).count == 3)
        for minute in 0..<200 {
            throughput.note(
                Throughput.Counts(enqueued: 1000 + minute), at: now.advanced(bySeconds: 60 * Double(minute)))
        }
        #expect(throughput.read(at: now.advanced(bySeconds: 60 * 199)).minutes.allSatisfy { $0.counts.enqueued == 1 })
    }

    @Test func timesAreShownWithTheirDistance() {
        let now = Timestamp(seconds: 1_750_000_000)
        func shown(_ seconds: Double) -> String {
            let time = ShownTime(now.advanced(bySeconds: seconds), now: now)
            return "\(time.text), \(time.distance)"
        }
        #expect(shown(0) == "2025-06-15 15:06:40 UTC, now")
        #expect(shown(-59) == "2025-06-15 15:05:41 UTC, 59 s ago" && shown(7200).hasSuffix(", in 2 h"))
        #expect(ShownTime(Timestamp(microseconds: .max), now: now).distance == "")
        #expect(ShownTime(now, now: now, offset: 7200).text == "2025-06-15 17:06:40 +02:00")
        #expect(1_234_567.grouped == "1,234,567" && (-1000).grouped == "-1,000" && 999.grouped == "999")
        #expect(1.of("job") == "1 job" && 1000.of("job") == "1,000 jobs")
    }
}
