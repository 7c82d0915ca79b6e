#if canImport(Glibc)
    private import Glibc
#elseif canImport(Musl)
    private import Musl
#else
    private import Darwin
#endif

/// The variables of the environment that may have a password in them.
enum SecretVariables {
    private static let names = [
        SettingTable.standard.password.environmentName, SettingTable.standard.redisURL.environmentName,
        SettingTable.standard.storage.environmentName,
    ]

    /// Takes them from this process, when they have been read: neither job scripts nor the programs that these start see
    /// them, nor does who looks at the process from outside (`/proc/PID/environ`). To be called before there are threads.
    static func remove() {
        for name in names {
            guard let value = getenv(name) else { continue }
            memset(value, 0, strlen(value))
            unsetenv(name)
        }
    }
}
