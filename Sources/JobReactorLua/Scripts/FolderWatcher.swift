#if os(Linux)
    internal import JobReactorCore

    #if canImport(Glibc)
        private import Glibc
    #else
        private import Musl
    #endif

    /// Tells that something in a folder, or on the way to it, may have changed. A thread of its own sleeps until the system
    /// says so.
    final class FolderWatcher: Sendable {
        /// The ends of a pipe: what is closed at one wakes who waits at the other.
        private let woken: Int32
        private let wakeup: Int32
        private let isStopped = Locked(false)

        /// After a change it is told when nothing more has come for so long, in milliseconds,
        private static let quiet = 50
        /// or so long has passed.
        private static let longest = 500

        init(_ folder: String, _ change: @escaping @Sendable () -> Void) throws(ScriptError) {
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

        func stop() {
            let isFirst = isStopped.withLock { stopped in
                defer { stopped = true }
                return !stopped
            }
            if isFirst { close(wakeup) }
        }

        private func live(_ watches: FolderWatches, _ change: () -> Void) {
            defer {
                close(watches.notifications)
                close(woken)
            }
            // Something may have changed before the watch.
            change()
            while wait(-1, watches) {
                guard watches.drain() else { continue }
                let first = MonotonicClock.now
                var isLive = true
                repeat {
                    isLive = wait(Self.quiet, watches)
                } while isLive && watches.drain() && MonotonicClock.now - first < Int64(Self.longest) * 1_000_000
                guard isLive else { return }
                // What was made before its folder was watched is found by looking once more.
                for _ in 0..<5 {
                    let isNew = (try? watches.update()) ?? false
                    change()
                    if !isNew { break }
                }
            }
        }

        /// Returns false when the watch is to end.
        private func wait(_ milliseconds: Int, _ watches: FolderWatches) -> Bool {
            var descriptors = [
                pollfd(fd: watches.notifications, events: Int16(POLLIN), revents: 0),
                pollfd(fd: woken, events: Int16(POLLIN), revents: 0),
            ]
            while poll(&descriptors, 2, Int32(milliseconds)) < 0, errno == EINTR {}
            return !isStopped.withLock { $0 }
        }
    }

    /// What the system is asked to tell of. Belongs to one thread at a time.
    private final class FolderWatches {
        let notifications: Int32
        private let folder: String
        /// By their paths.
        private var known: [String: Watch] = [:]
        private var paths: [Int32: String] = [:]

        private struct Watch: Equatable {
            var descriptor: Int32 = -1
            /// Only these names matter; nil for all.
            var names: Set<String>?
        }

        init(_ folder: String, notifications: Int32) {
            self.folder = folder
            self.notifications = notifications
        }

        /// Takes what has come. Returns whether any of it matters.
        func drain() -> Bool {
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            var matters = false
            while true {
                let count = read(notifications, &buffer, buffer.count)
                guard count > 0 else { return matters }
                buffer.withUnsafeBytes { bytes in
                    var at = 0
                    let header = MemoryLayout<inotify_event>.size
                    while at + header <= count {
                        let event = bytes.loadUnaligned(fromByteOffset: at, as: inotify_event.self)
                        let length = Int(event.len)
                        let name = String(
                            decoding: bytes[(at + header)..<min(count, at + header + length)].prefix { $0 != 0 },
                            as: UTF8.self)
                        at += header + length
                        if note(event, name) { matters = true }
                    }
                }
            }
        }

        private func note(_ event: inotify_event, _ name: String) -> Bool {
            if event.mask & UInt32(IN_Q_OVERFLOW) != 0 { return true }
            guard let path = paths[event.wd], let watch = known[path] else { return false }
            if event.mask & UInt32(IN_IGNORED) != 0 {
                known[path] = nil
                paths[event.wd] = nil
                return true
            }
            return name.isEmpty || watch.names?.contains(name) ?? true
        }

        /// Watches what there is now. Returns whether a folder is new among it.
        @discardableResult
        func update() throws(ScriptError) -> Bool {
            let wanted = wanted()
            for (path, watch) in known where wanted[path] == nil {
                inotify_rm_watch(notifications, watch.descriptor)
                known[path] = nil
                paths[watch.descriptor] = nil
            }
            var isNew = false
            for (path, names) in wanted {
                if try add(path, names) { isNew = true }
            }
            return isNew
        }

        private func add(_ path: String, _ names: Names) throws(ScriptError) -> Bool {
            let events =
                IN_CREATE | IN_DELETE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB
                | IN_DELETE_SELF | IN_MOVE_SELF
            // The same folder again has the same number; another of the same path has another.
            let descriptor = inotify_add_watch(notifications, path, UInt32(events))
            guard descriptor >= 0 else {
                guard errno == ENOSPC else { return false }
                throw ScriptError(
                    "cannot watch the job scripts: raise fs.inotify.max_user_watches, or load them with SIGHUP or RELOAD"
                )
            }
            let before = known[path]
            if let before, before.descriptor != descriptor {
                inotify_rm_watch(notifications, before.descriptor)
                paths[before.descriptor] = nil
            }
            // Two paths to one folder share a number, and what matters of either does.
            var names = names.names
            if let other = paths[descriptor], other != path, let watch = known[other] {
                names = names.flatMap { names in watch.names.map { names.union($0) } }
                known[other]?.names = names
            }
            known[path] = Watch(descriptor: descriptor, names: names)
            paths[descriptor] = path
            return before?.descriptor != descriptor
        }

        private struct Names {
            var names: Set<String>?
        }

        /// The folder with all below it, the folders of what links lead to, and those on the way to it in which a name leads
        /// there.
        private func wanted() -> [String: Names] {
            var wanted: [String: Names] = [:]
            func want(_ path: String, _ name: String?) {
                guard let known = wanted[path] else {
                    wanted[path] = Names(names: name.map { [$0] })
                    return
                }
                if let name { wanted[path]?.names = known.names?.union([name]) } else { wanted[path]?.names = nil }
            }
            for step in LinkedPath.steps(to: folder) { want(step.folder, step.name) }
            let walk = FolderWalk(suffix: ".lua")
            try? walk.visit(folder) { file in
                if let target = LinkedPath.target(of: file) {
                    for step in LinkedPath.steps(to: target) where LinkedPath.isLink(step) || step.isLast {
                        want(step.folder, step.name)
                    }
                }
            } folder: { folder in
                want(folder, nil)
            } problem: { _ in
            }
            return wanted
        }
    }

    /// The way of a path through symbolic links.
    enum LinkedPath {
        /// A name in a folder that leads on.
        struct Step {
            let folder: String
            let name: String
            var isLast = false
            var path: String { folder == "/" ? "/" + name : folder + "/" + name }
        }

        static func isLink(_ step: Step) -> Bool { link(step.path) != nil }

        /// What a link leads to, as a path; nil for what is no link.
        static func target(of path: String) -> String? {
            guard let link = link(path) else { return nil }
            return link.hasPrefix("/") ? link : parent(of: path) + "/" + link
        }

        private static func parent(of path: String) -> String {
            guard let slash = path.lastIndex(of: "/") else { return "." }
            return slash == path.startIndex ? "/" : String(path[..<slash])
        }

        private static func link(_ path: String) -> String? {
            var buffer = [CChar](repeating: 0, count: 4096)
            let count = readlink(path, &buffer, buffer.count - 1)
            guard count > 0 else { return nil }
            return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }

        /// Every name on the way that exists, and the first that does not, through at most 40 links.
        static func steps(to path: String) -> [Step] {
            var steps: [Step] = []
            var rest = path.split(separator: "/").map(String.init)
            var at = path.hasPrefix("/") ? "/" : "."
            var links = 0
            while !rest.isEmpty {
                let name = rest.removeFirst()
                if name == "." || name == ".." {
                    at = at == "/" ? "/" : at + "/" + name
                    continue
                }
                let step = Step(folder: at, name: name, isLast: rest.isEmpty)
                steps.append(step)
                if let link = link(step.path) {
                    links += 1
                    if links > 40 { return steps }
                    if link.hasPrefix("/") { at = "/" }
                    rest = link.split(separator: "/").map(String.init) + rest
                } else if FileKind.of(step.path) == .missing {
                    return steps
                } else {
                    at = step.path
                }
            }
            return steps
        }
    }
#endif
