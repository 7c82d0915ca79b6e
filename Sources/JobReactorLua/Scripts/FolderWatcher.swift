#if os(Linux)
    internal import JobReactorCore

    #if canImport(Glibc)
        private import Glibc
    #else
        private import Musl
    #endif

    /// Tells that something in a folder, or on the way to it, may have changed. A thread of its own sleeps until the system
    /// says so. What happens on other machines, in a folder that they share, the system does not see.
    final class FolderWatcher: Sendable {
        /// Called on the watcher's thread: once at the start, for what has changed before, then after each change, when all
        /// that is there is watched. The error says why not all of it can be.
        typealias Change = @Sendable (ScriptError?) -> Void

        /// The ends of a pipe: what is written to one wakes who waits at the other.
        private let woken: Int32
        private let wakeup: Int32
        private let isStopped = Locked(false)

        /// After a change it is told when nothing more has come for so long, in nanoseconds,
        private static let quiet: Int64 = 50_000_000
        /// or so long has passed.
        private static let longest: Int64 = 500_000_000

        /// Of what changes after the return nothing is missed. The folder need not be there. Throws when the system has no
        /// means left.
        init(_ folder: String, _ change: @escaping Change) throws(ScriptError) {
            let notifications = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
            guard notifications >= 0 else {
                throw ScriptError(
                    "cannot watch the job scripts (\(String(cString: strerror(errno)))):"
                        + " raise fs.inotify.max_user_instances, or load them with SIGHUP or RELOAD")
            }
            var ends: [Int32] = [-1, -1]
            guard pipe(&ends) == 0 else {
                close(notifications)
                throw ScriptError("cannot watch the job scripts: raise the limit of open files (ulimit -n)")
            }
            (woken, wakeup) = (ends[0], ends[1])
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            let watches = FolderWatches(folder, notifications: notifications)
            do throws(ScriptError) { try watches.update() } catch {
                close(notifications)
                close(woken)
                close(wakeup)
                throw error
            }
            let parcel = Parcel(watches)
            let thread = LaneThread { [self] in live(parcel.watches, change) }
            guard thread.start() else {
                close(notifications)
                close(woken)
                close(wakeup)
                throw ScriptError("cannot start a thread: raise the limit of threads (ulimit -u)")
            }
        }

        /// `@unchecked Sendable`: the watches go to the thread, and nobody keeps them.
        private struct Parcel: @unchecked Sendable {
            let watches: FolderWatches
            init(_ watches: FolderWatches) { self.watches = watches }
        }

        /// Ends the thread, which closes what is open; does not wait for that, nor for a change that is being told. From any
        /// thread.
        func stop() {
            isStopped.withLock { stopped in
                guard !stopped else { return }
                // The thread does not close the other end before it sees the mark. A closed pipe alone would not wake it as
                // long as a program that was started meanwhile had this end too.
                _ = write(wakeup, [1], 1)
                close(wakeup)
                stopped = true
            }
        }

        private func live(_ watches: FolderWatches, _ change: Change) {
            defer {
                close(watches.notifications)
                close(woken)
            }
            tell(watches, change)
            while wait(nil, watches) {
                guard watches.drain() else { continue }
                let first = MonotonicClock.now
                var end = first + Self.quiet
                while case let now = MonotonicClock.now, now < min(end, first + Self.longest) {
                    guard wait(min(end, first + Self.longest) - now, watches) else { return }
                    if watches.drain() { end = MonotonicClock.now + Self.quiet }
                }
                tell(watches, change)
            }
        }

        /// What was made in a folder before that was watched is found by looking once more.
        private func tell(_ watches: FolderWatches, _ change: Change) {
            for _ in 0..<5 {
                do throws(ScriptError) {
                    let isNew = try watches.update()
                    change(nil)
                    if !isNew { return }
                } catch {
                    return change(error)
                }
            }
        }

        /// Until there is something to take, or so many nanoseconds have passed. Returns false when the watch is to end.
        private func wait(_ nanoseconds: Int64?, _ watches: FolderWatches) -> Bool {
            var descriptors = [
                pollfd(fd: watches.notifications, events: Int16(POLLIN), revents: 0),
                pollfd(fd: woken, events: Int16(POLLIN), revents: 0),
            ]
            let milliseconds = nanoseconds.map { Int32(clamping: ($0 + 999_999) / 1_000_000) } ?? -1
            // An interruption is nothing new, and the caller looks at the time.
            _ = poll(&descriptors, 2, milliseconds)
            return !isStopped.withLock { $0 }
        }
    }
#endif
