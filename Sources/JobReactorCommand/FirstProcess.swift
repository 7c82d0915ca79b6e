#if os(Linux)
    // For `environ`, which nobody changes before there are threads.
    #if canImport(Glibc)
        @preconcurrency private import Glibc
    #else
        @preconcurrency private import Musl
    #endif

    /// A node that is process 1 of a container.
    ///
    /// Whatever a program leaves behind at its end becomes the child of process 1, and a zombie until that waits for it. The node
    /// cannot do so itself: it would take the status of programs for which `exec`, `os.execute` and `io.popen` wait. So it
    /// starts itself once more as its child, and is from then on only what the container needs: it waits for all that ends,
    /// passes signals on, and ends as the node does.
    enum FirstProcess {
        private static let passedOn = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2]
        private static let program = "/proc/self/exe"
        /// `nonisolated(unsafe)`: written once, before there is a handler that reads it.
        nonisolated(unsafe) private static var wakeup: Int32 = -1

        /// Returns in every process that is to do what its arguments say.
        static func standAside() {
            guard getpid() == 1, CommandLine.arguments.dropFirst().first == "node" else { return }
            var ends: [Int32] = [-1, -1]
            guard pipe(&ends) == 0 else { return }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            // A handler must not wait.
            _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
            wakeup = ends[1]
            for number in passedOn + [SIGCHLD] { signal(number, Self.note) }
            // Whoever has started this may keep them back, as threads of Dispatch do.
            var signals = sigset_t()
            sigemptyset(&signals)
            for number in passedOn + [SIGCHLD] { sigaddset(&signals, number) }
            pthread_sigmask(SIG_UNBLOCK, &signals, nil)
            guard let node = start() else {
                for number in passedOn + [SIGCHLD] { signal(number, SIG_DFL) }
                for end in ends { close(end) }
                return Terminal.complain(
                    "warning: as process 1, the node does not reap processes that programs leave behind: \(program) cannot be"
                        + " started (\(String(cString: strerror(errno)))); give the container an init (docker run --init)"
                )
            }
            SecretVariables.remove()
            exit(serve(node, ends[0]))
        }

        /// The number of this process, or that of the first one, which has started it.
        static var number: Int32 {
            guard getppid() == 1, let own = link(program), link("/proc/1/exe") == own else { return getpid() }
            return 1
        }

        private static let note: @convention(c) (Int32) -> Void = { number in
            let before = errno
            var byte = UInt8(truncatingIfNeeded: number)
            _ = write(wakeup, &byte, 1)
            errno = before
        }

        private static func start() -> pid_t? {
            var attributes = posix_spawnattr_t()
            guard posix_spawnattr_init(&attributes) == 0 else { return nil }
            defer { posix_spawnattr_destroy(&attributes) }
            // A group of its own: what a terminal sends comes here alone, and reaches it once.
            posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
            posix_spawnattr_setpgroup(&attributes, 0)
            var node: pid_t = 0
            let error = posix_spawn(&node, program, nil, &attributes, CommandLine.unsafeArgv, environ)
            errno = error
            return error == 0 ? node : nil
        }

        /// Returns the exit status when the node has ended.
        private static func serve(_ node: pid_t, _ woken: Int32) -> Int32 {
            var numbers = [UInt8](repeating: 0, count: 256)
            while true {
                let count = read(woken, &numbers, numbers.count)
                for number in numbers.prefix(max(0, count)) where Int32(number) != SIGCHLD {
                    kill(node, Int32(number))
                }
                var status: Int32 = 0
                while case let ended = waitpid(-1, &status, WNOHANG), ended > 0 {
                    guard ended == node else { continue }
                    let signal = status & 0x7F
                    return signal == 0 ? status >> 8 & 0xFF : 128 + signal
                }
            }
        }

        private static func link(_ path: String) -> [CChar]? {
            var target = [CChar](repeating: 0, count: 4096)
            let count = readlink(path, &target, target.count)
            return count > 0 ? Array(target.prefix(count)) : nil
        }
    }
#else
    private import Darwin

    /// There are containers with a process 1 on Linux.
    enum FirstProcess {
        static func standAside() {}
        static var number: Int32 { getpid() }
    }
#endif
