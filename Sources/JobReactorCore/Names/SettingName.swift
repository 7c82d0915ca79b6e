private import Synchronization

/// The name of a setting in errors and logs: a parameter in an application, a flag in the program `jobreactor`. Answers
/// to commands of other processes use the plain names, ``OptionNames/plain``.
package enum SettingName: String, CaseIterable, Sendable, CustomStringConvertible {
    case allowHost = "allow_host"
    case connectTo = "connect_to"
    case deferLanes = "defer_lanes"
    case dialAllow = "dial_allow"
    case grace
    case httpConnections = "http_connections"
    case httpWait = "http_wait"
    case jitter
    case jobDirectory = "job_directory"
    case jobTimeout = "job_timeout"
    case maxAttempt = "max_attempt"
    case maxMemory = "max_memory"
    case maxPrograms = "max_programs"
    case maxRetryDelay = "max_retry_delay"
    case maxSuspended = "max_suspended"
    case memoryLimit = "memory_limit"
    case passwordFile = "password_file"
    case reportTTL = "report_ttl"
    case retryMultiplier = "retry_multiplier"
    case server
    case sharedLimit = "shared_limit"
    case sliceLimit = "slice_limit"
    case sliceWarning = "slice_warning"
    case takeoverTime = "takeover_time"
    case window

    private static let flags = Atomic(false)

    /// Whether this process is the program `jobreactor`.
    package static var areFlags: Bool { flags.load(ordering: .relaxed) }

    /// Makes names of settings flags from now on. The program calls this first.
    package static func useFlags() { flags.store(true, ordering: .relaxed) }

    package var description: String { Self.areFlags ? flag : parameter }

    /// `--memory-limit`
    package var flag: String {
        switch self {
        case .jobDirectory: "--jobs"
        default: OptionNames.flags.text(rawValue)
        }
    }

    /// `memoryLimit`
    package var parameter: String {
        switch self {
        case .allowHost: "ScriptLibraries.allow"
        case .httpConnections: "ScriptLibraries.limit(connections:)"
        case .httpWait: "ScriptLibraries.limit(wait:)"
        case .jitter, .maxAttempt, .maxRetryDelay, .retryMultiplier: "policy." + OptionNames.swift.text(rawValue)
        case .jobTimeout: "policy.timeout"
        case .maxPrograms: "ScriptLibraries.limit(programs:)"
        case .passwordFile: "security.password"
        case .reportTTL: "reportTTL"
        default: OptionNames.swift.text(rawValue)
        }
    }
}
