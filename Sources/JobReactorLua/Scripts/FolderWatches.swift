#if os(Linux)
    #if canImport(Glibc)
        private import Glibc
    #else
        private import Musl
    #endif

    /// What the system is asked to tell of: a folder with all below it, and every folder in which a name leads to it, or to
    /// what symbolic links in it lead to.
    ///
    /// Belongs to one thread at a time.
    final class FolderWatches {
        /// Of inotify. It belongs to the caller.
        let notifications: Int32
        private let folder: String
        /// By the numbers of inotify. A folder has one, whatever paths lead to it.
        private var watches: [Int32: Interest] = [:]

        /// What matters in a folder.
        private enum Interest {
            case all
            case names(Set<String>)

            func adding(_ other: Interest) -> Interest {
                guard case .names(let names) = self, case .names(let others) = other else { return .all }
                return .names(names.union(others))
            }

            func contains(_ name: String) -> Bool {
                switch self {
                case .all: true
                case .names(let names): names.contains(name)
                }
            }
        }

        /// Not IN_MODIFY: a file that is being written matters when it is closed.
        private static let events =
            IN_CREATE | IN_DELETE | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF
            | IN_MOVE_SELF | IN_ONLYDIR

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
            // Some were lost.
            if event.mask & UInt32(IN_Q_OVERFLOW) != 0 { return true }
            guard let interest = watches[event.wd] else { return false }
            if event.mask & UInt32(IN_IGNORED) != 0 {
                watches[event.wd] = nil
                return true
            }
            // Without a name it is about the folder itself.
            return name.isEmpty || interest.contains(name)
        }

        /// Watches what there is now. Returns whether a folder is new among it. Throws when the system's limit is reached: then
        /// some are not watched.
        @discardableResult
        func update() throws(ScriptError) -> Bool {
            let before = watches
            watches = [:]
            var isFull = false
            for (path, interest) in wanted() {
                let number = inotify_add_watch(notifications, path, UInt32(Self.events))
                if number >= 0 {
                    watches[number] = watches[number].map { $0.adding(interest) } ?? interest
                } else if errno == ENOSPC {
                    isFull = true
                }
            }
            for number in before.keys where watches[number] == nil { inotify_rm_watch(notifications, number) }
            if isFull {
                throw ScriptError(
                    "cannot watch all of the job scripts: raise fs.inotify.max_user_watches,"
                        + " or load them with SIGHUP or RELOAD")
            }
            return watches.keys.contains { before[$0] == nil }
        }

        private func wanted() -> [String: Interest] {
            var wanted: [String: Interest] = [:]
            func want(_ path: String, _ interest: Interest) {
                wanted[path] = wanted[path].map { $0.adding(interest) } ?? interest
            }
            for step in LinkedPath.steps(to: folder) { want(step.folder, .names([step.name])) }
            guard let walk = try? FolderWalk(folder, suffix: ".lua") else { return wanted }
            for folder in walk.folders { want(folder, .all) }
            for link in walk.links {
                guard let target = LinkedPath.target(of: link) else { continue }
                for step in LinkedPath.steps(to: target) { want(step.folder, .names([step.name])) }
            }
            return wanted
        }
    }
#endif
