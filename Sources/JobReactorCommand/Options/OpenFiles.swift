#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// How many files and connections the system lets this process have.
enum OpenFiles {
    /// Takes all that the system allows: the usual 1,024 are few for connections, and asking is what the higher limit is
    /// for. Where that fails the process goes on with what it has.
    static func raiseLimit() {
        var limit = rlimit()
        #if canImport(Glibc)
            let files = Int32(RLIMIT_NOFILE.rawValue)
        #else
            let files = RLIMIT_NOFILE
        #endif
        guard getrlimit(files, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(files, &limit)
    }
}
