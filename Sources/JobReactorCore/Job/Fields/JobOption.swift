/// One option of a job: what it is called everywhere, what it takes, where it can be said, and how it is read and set.
package struct JobOption: Sendable {
    /// Where an option can be said.
    package struct Places: OptionSet, Sendable {
        package let rawValue: Int
        package init(rawValue: Int) { self.rawValue = rawValue }

        /// In Lua and in JSON.
        package static let scripts = Places(rawValue: 1)
        /// In `ENQUEUE`, `PERFORM` and links.
        package static let commands = Places(rawValue: 2)
        /// On the command line of `jobreactor enqueue`.
        package static let flags = Places(rawValue: 4)
        /// Between a distributor and a node alone.
        package static let links = Places(rawValue: 8)
        package static let everywhere: Places = [.scripts, .commands, .flags]
    }

    /// As Lua and JSON write it, `max_attempt`; Swift and flags have the spelling of ``OptionNames``, commands capital
    /// letters.
    package let name: String
    package let type: FieldType
    package let places: Places
    /// What it means, as all documentation and the help say it.
    package let meaning: String
    /// What only editors of Lua say beside it.
    package let luaMeaning: String
    /// What only the help of the program says beside it.
    package let flagMeaning: String
    /// The option without which this one says nothing: `unique` for `unique_for`.
    package let part: String?
    /// Whether peers of the first release refuse a job with it, so that they are not sent it: `PING LATER_OPTIONS`.
    package let isLater: Bool
    /// What the options have; nil where it is not said.
    package let value: @Sendable (JobOptions) -> FieldValue?
    private let setter: @Sendable (inout JobOptions, FieldValue) -> Bool

    init<Value: FieldConvertible>(
        _ name: String, _ type: FieldType, in places: Places = .everywhere, of part: String? = nil,
        isLater: Bool = false, _ meaning: String, lua: String = "", flag: String = "",
        _ get: @escaping @Sendable (JobOptions) -> Value?, set: @escaping @Sendable (inout JobOptions, Value) -> Void
    ) {
        self.name = name
        self.type = type
        self.places = places
        self.part = part
        self.isLater = isLater
        self.meaning = meaning
        luaMeaning = lua
        flagMeaning = flag
        value = { get($0)?.field }
        setter = { options, value in
            guard let value = Value(field: value) else { return false }
            set(&options, value)
            return true
        }
    }

    /// False for a value that it cannot have. A part is set only where the option that it belongs to is.
    package func set(_ options: inout JobOptions, _ value: FieldValue) -> Bool { setter(&options, value) }

    /// `MAX_ATTEMPT`
    package var word: String { name.uppercased() }

    /// With what stands for its value: `MAX_ATTEMPT n`.
    package var usage: String { type.placeholder.map { "\(word) \($0)" } ?? word }

    /// `--max-attempt`
    package var flag: String { OptionNames.flags.text(name) }

    /// Its line in the definitions for editors of Lua.
    package var definition: String { "---@field \(name)? \(type.lua) \(meaning)\(luaMeaning)" }

    /// Its help in the program, a sentence.
    package var help: String { meaning.prefix(1).uppercased() + meaning.dropFirst() + flagMeaning + "." }
}
