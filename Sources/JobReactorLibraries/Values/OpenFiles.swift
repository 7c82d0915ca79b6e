#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// How many files, pipes and connections the system lets this process have at once.
enum OpenFiles {
    static var limit: Int {
        var limit = rlimit()
        #if canImport(Glibc)
            let files = Int32(RLIMIT_NOFILE.rawValue)
        #else
            let files = RLIMIT_NOFILE
        #endif
        guard getrlimit(files, &limit) == 0 else { return 1024 }
        return Int(clamping: limit.rlim_cur)
    }

    /// Whether so many more can be opened now.
    static func hasRoom(for count: Int) -> Bool {
        var opened: [Int32] = []
        defer { for file in opened { close(file) } }
        for _ in 0..<count {
            let file = open("/dev/null", O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { return false }
            opened.append(file)
        }
        return true
    }
}
