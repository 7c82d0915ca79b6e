internal import JobReactorCore

/// Whether two machines agree on the time.
enum ClockCheck {
    static func finding(_ subject: String, _ reading: ClockReading) -> Finding {
        let ahead = reading.secondsAhead
        let seconds = abs(ahead)
        guard seconds >= 2 else { return .good(subject, "its clock agrees with the clock of this machine") }
        let message =
            "its clock is \(LocalTime.wait(seconds)) \(ahead > 0 ? "ahead of" : "behind") the clock of this machine"
        let advice =
            "dates of jobs depend on the clock of the machine that has them: set both clocks by NTP (timedatectl)"
        return seconds >= 60 ? .error(subject, message, advice) : .warning(subject, message, advice)
    }
}
