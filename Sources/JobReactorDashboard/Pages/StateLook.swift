internal import JobReactorCore

/// How a state looks, everywhere: its colour, from one table of hues, and its word.
enum StateLook: String, CaseIterable {
    case new, queued, progress, error, complete, failed, cancelled

    init(_ status: JobStatus) {
        self =
            switch status {
            case .new: .new
            case .queued: .queued
            case .inProgress: .progress
            case .error: .error
            case .complete: .complete
            case .failed: .failed
            case .cancelled: .cancelled
            }
    }

    /// In degrees.
    var hue: Int {
        switch self {
        case .new: 190
        case .queued: 220
        case .progress: 265
        case .error: 30
        case .complete: 145
        case .failed: 0
        case .cancelled: 310
        }
    }

    /// A class of the style sheet.
    var style: String { "s-\(rawValue)" }

    /// A colour by hue, saturation and lightness, from 0 to 1 but for the hue.
    struct Colour: Hashable {
        var hue: Int
        var saturation: Double
        var lightness: Double

        var css: String { "hsl(\(hue) \(Self.percent(saturation)) \(Self.percent(lightness)))" }
        private static func percent(_ share: Double) -> String { "\(Int((share * 100).rounded()))%" }
    }

    /// Of a word on its ground, and of what has no words, such as a bar.
    func colours(isDark: Bool) -> (text: Colour, ground: Colour, mark: Colour) {
        isDark
            ? (
                Colour(hue: hue, saturation: 0.8, lightness: 0.84), Colour(hue: hue, saturation: 0.4, lightness: 0.18),
                Colour(hue: hue, saturation: 0.55, lightness: 0.6)
            )
            : (
                Colour(hue: hue, saturation: 0.75, lightness: 0.24), Colour(hue: hue, saturation: 0.7, lightness: 0.92),
                Colour(hue: hue, saturation: 0.6, lightness: 0.38)
            )
    }

    /// The part of the style sheet that is about states.
    static var styleSheet: String {
        func rules(isDark: Bool) -> String {
            allCases.map { look in
                let colours = look.colours(isDark: isDark)
                return "--\(look.rawValue)-text:\(colours.text.css);--\(look.rawValue)-ground:\(colours.ground.css);"
                    + "--\(look.rawValue)-mark:\(colours.mark.css);"
            }.joined()
        }
        let classes = allCases.map { look in
            ".chip.\(look.style){color:var(--\(look.rawValue)-text);background:var(--\(look.rawValue)-ground)}"
                + "svg .\(look.style){fill:var(--\(look.rawValue)-mark)}"
                + "svg .box.\(look.style).now{fill:var(--\(look.rawValue)-ground);stroke:var(--\(look.rawValue)-mark)}"
        }.joined(separator: "\n")
        return
            ":root{\(rules(isDark: false))}\n@media (prefers-color-scheme:dark){:root{\(rules(isDark: true))}}\n\(classes)\n"
    }
}
