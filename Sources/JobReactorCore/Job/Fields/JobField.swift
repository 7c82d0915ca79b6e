/// One field of the record of a job: its name everywhere, what it takes, who sees it, and how it is read and set.
package struct JobField: Sendable {
    /// Who has the field.
    package struct Places: OptionSet, Sendable {
        package let rawValue: Int
        package init(rawValue: Int) { self.rawValue = rawValue }

        /// Every storage keeps it, and so `RECORD` and any encoder have it.
        package static let storages = Places(rawValue: 1)
        /// `RECORD` and `RECORDS` have it.
        package static let records = Places(rawValue: 2)
        /// `JOB` shows it, and what is made of that.
        package static let shown = Places(rawValue: 4)
        /// Scripts see it in `args.job_itself`.
        package static let scripts = Places(rawValue: 8)
        /// Who answers `JOB` or `RECORD` adds it to the record.
        package static let answers = Places(rawValue: 16)
        /// `jobreactor jobs` makes it of the others.
        package static let program = Places(rawValue: 32)
    }

    /// The same in storages, on the wire, in Lua and in JSON.
    package let name: String
    package let type: FieldType
    package let places: Places
    /// What it means, as the documentation says it.
    package let meaning: String
    /// Whether every record has it.
    package let isAlwaysThere: Bool
    /// The field of which this one says more, and without which it is not there: `unique` for `unique_for`.
    package let part: String?
    /// Its column in SQLite, and the number of the migration that brought it; nil for what storages do not keep.
    package let column: Column?
    /// What the record has; nil where it is not set.
    package let value: @Sendable (Job) -> FieldValue?
    /// As `JOB` shows it, by ``FieldValue/text``.
    package private(set) var shown: @Sendable (Job) -> FieldValue?
    /// What `JOB` shows of it: ``type``, but where only a part of it is shown.
    package private(set) var shownType: FieldType
    /// As a script sees it at the node of that name.
    package private(set) var toScripts: @Sendable (Job, String) -> FieldValue?
    private let setter: (@Sendable (inout Job, FieldValue) -> Bool)?

    package struct Column: Sendable {
        package let name: String
        package let since: Int
    }

    /// Whether it can be set: a job keeps its id and its name, and what is made of other fields has no value of its
    /// own.
    package var isSettable: Bool { setter != nil }

    /// False for a value that it cannot have. A part is set only where the field that it belongs to is.
    package func set(_ job: inout Job, _ value: FieldValue) -> Bool { setter?(&job, value) ?? false }

    private init(
        _ name: String, _ type: FieldType, _ places: Places, _ meaning: String, isAlwaysThere: Bool = false,
        of part: String? = nil, column: Column? = nil, value: @escaping @Sendable (Job) -> FieldValue? = { _ in nil },
        setter: (@Sendable (inout Job, FieldValue) -> Bool)? = nil
    ) {
        self.name = name
        self.type = type
        self.places = places
        self.meaning = meaning
        self.isAlwaysThere = isAlwaysThere
        self.part = part
        self.column = column
        self.value = value
        self.setter = setter
        shown = value
        shownType = type
        toScripts = { job, _ in value(job) }
    }

    // MARK: Rows

    /// A field that is stored of every job.
    static func always<Value: FieldConvertible>(
        _ name: String, _ type: FieldType, seen: Places = [], _ meaning: String,
        _ get: @escaping @Sendable (Job) -> Value, set: (@Sendable (inout Job, Value) -> Void)? = nil
    ) -> JobField {
        JobField(
            name, type, seen.union([.storages, .records]), meaning, isAlwaysThere: true,
            column: Column(name: name, since: 1), value: { get($0).field }, setter: set.map(setter))
    }

    /// A field that is stored of those jobs that have it. `since` is the number of the migration of SQLite files that
    /// brings its column: one more than the last, for a new field.
    static func ifSet<Value: FieldConvertible>(
        _ name: String, _ type: FieldType, seen: Places = [], since: Int, column: String? = nil, of part: String? = nil,
        _ meaning: String, _ get: @escaping @Sendable (Job) -> Value?,
        set: @escaping @Sendable (inout Job, Value) -> Void
    ) -> JobField {
        JobField(
            name, type, seen.union([.storages, .records]), meaning, of: part,
            column: Column(name: column ?? name, since: since), value: { get($0)?.field }, setter: setter(set))
    }

    /// What no storage keeps.
    static func unstored<Value: FieldConvertible>(
        _ name: String, _ type: FieldType, seen: Places, _ meaning: String,
        _ get: @escaping @Sendable (Job) -> Value?, set: (@Sendable (inout Job, Value) -> Void)? = nil
    ) -> JobField {
        JobField(name, type, seen, meaning, value: { get($0)?.field }, setter: set.map(setter))
    }

    /// What is no part of the record, and is added where it is shown.
    static func added(_ name: String, _ type: FieldType, by places: Places, _ meaning: String) -> JobField {
        JobField(name, type, places, meaning)
    }

    private static func setter<Value: FieldConvertible>(
        _ set: @escaping @Sendable (inout Job, Value) -> Void
    ) -> @Sendable (inout Job, FieldValue) -> Bool {
        { job, value in
            guard let value = Value(field: value) else { return false }
            set(&job, value)
            return true
        }
    }

    /// The same, shown otherwise.
    func showing(as type: FieldType? = nil, _ shown: @escaping @Sendable (Job) -> FieldValue?) -> JobField {
        var field = self
        field.shown = shown
        field.shownType = type ?? field.type
        return field
    }

    /// The same, otherwise to scripts.
    func showingScripts(_ value: @escaping @Sendable (Job, String) -> FieldValue?) -> JobField {
        var field = self
        field.toScripts = value
        return field
    }
}
