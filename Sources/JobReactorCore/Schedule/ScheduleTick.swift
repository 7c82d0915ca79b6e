/// One time at which a schedule is due, and the job that it makes.
package struct ScheduleTick: Hashable, Sendable {
    /// The time, before jitter.
    package let at: Timestamp
    /// The id of its job, derived from the name of the schedule and the time, so that making it twice makes the same
    /// job.
    package let id: JobID

    package init(of schedule: String, at: Timestamp) {
        self.at = at
        let digest = SHA256.digest(Array("\(schedule)\n\(at.microseconds)".utf8))
        // As other ids: the millisecond, so that ids are in the order of their age, and what tells those of one apart.
        let milliseconds = UInt64(max(0, at.microseconds / 1000))
        id = JobID(high: milliseconds << 16 | UInt64(digest[0] >> 16), low: UInt64(digest[1]) << 32 | UInt64(digest[2]))
    }

    /// The due time of its job with this jitter; the delay of one tick is always the same.
    package func due(jitter: Double) -> Timestamp {
        at.advanced(bySeconds: jitter * Double(id.low >> 11) * 0x1p-53)
    }
}
