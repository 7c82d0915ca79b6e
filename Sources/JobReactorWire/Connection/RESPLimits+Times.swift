internal import JobReactorCore

extension RESPLimits {
    /// Limits whose times are durations, rounded up to whole seconds.
    @_disfavoredOverload
    public init(
        frameBytes: Int = 16 << 20, elements: Int = 100_000, authenticationTime: Duration = .seconds(10),
        silenceTime: Duration = .seconds(30), messageTime: Duration = .seconds(60), unreadBytes: Int = 64 << 20,
        heldBytes: Int = 256 << 20
    ) {
        func wholeSeconds(_ time: Duration) -> Int { Int(min(max(time.inSeconds.rounded(.up), -1e15), 1e15)) }
        self.init(
            frameBytes: frameBytes, elements: elements, authenticationTime: wholeSeconds(authenticationTime),
            silenceTime: wholeSeconds(silenceTime), messageTime: wholeSeconds(messageTime), unreadBytes: unreadBytes,
            heldBytes: heldBytes)
    }

    /// Throws ``WireError`` with the code `configuration` for a time below 0 or above 1,000,000,000 seconds. Distributors and nodes
    /// ask at their start.
    public func validate() throws(WireError) {
        let times = [
            ("authenticationTime", authenticationTime), ("silenceTime", silenceTime), ("messageTime", messageTime),
        ]
        for (name, seconds) in times where !(0...1_000_000_000).contains(seconds) {
            throw WireError(
                .configuration, "\(name) of the limits takes whole seconds from 0 to 1000000000, not \(seconds)")
        }
    }
}
