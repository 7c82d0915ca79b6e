package import JobReactorCore
package import NIOCore

extension EventLoop {
    /// Now. The steady clock is that of the loop's timers.
    package func moment(_ clock: WallClock) -> Moment {
        Moment(wall: clock.now, steady: Timestamp(microseconds: Int64(now.uptimeNanoseconds / 1000)))
    }
}
