internal import JobReactorCore

/// Whether two machines agree on the time.
enum ClockCheck {
    static func finding(_ subject: String, _ reading: ClockReading) -> Finding {
        let ahead = reading.secondsAhead
        let seconds = abs(ahead)
        guard seconds >= 2 else { return .good(subject, "its clock agrees with that of this machine") }
        let message =
            "its clock is \(LocalTime.wait(seconds)) \(ahead > 0 ? "ahead of" : "behind") that of this machine"
        let advice = "dates of jobs count by the clock of the machine that has them: have both set by NTP (timedatectl)"
        return seconds >= 60 ? .error(subject, message, advice) : .warning(subject, message, advice)
    }
}
