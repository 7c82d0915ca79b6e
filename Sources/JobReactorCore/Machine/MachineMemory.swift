#if canImport(FoundationEssentials)
    private import FoundationEssentials
#else
    private import Foundation
#endif

/// The memory that this process may use.
package enum MachineMemory {
    /// Half of the memory of the machine or of its control group, in bytes; at least 64 MiB.
    package static var half: Int { max(64 << 20, (controlGroupLimit.map { min($0, machine) } ?? machine) / 2) }

    private static var machine: Int { Int(clamping: ProcessInfo.processInfo.physicalMemory) }

    /// The smallest limit of the control groups (version 2) that this process is in; nil for none.
    private static var controlGroupLimit: Int? {
        guard let groups = try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8) else { return nil }
        let own = groups.split(separator: "\n").first { $0.hasPrefix("0::") }?.dropFirst(3) ?? "/"
        var folder = "/sys/fs/cgroup"
        var limits: [Int] = []
        for part in [""] + own.split(separator: "/").map(String.init) {
            if !part.isEmpty { folder += "/" + part }
            if let text = try? String(contentsOfFile: folder + "/memory.max", encoding: .utf8),
                let limit = Int(text.filter(\.isNumber))
            {
                limits.append(limit)
            }
        }
        return limits.min()
    }
}
