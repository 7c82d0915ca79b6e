internal import JobReactorCore
internal import JobReactorRedis

/// Whether a Redis server keeps jobs.
enum RedisCheck {
    static func findings(_ place: RedisPlace) async -> [Finding] {
        let subject = place.location.description
        do {
            let silence = CommandFailure.failure("does not answer within 10 s")
            return findings(try await withDeadline(10, else: silence) { try await place.health() }, subject)
        } catch let error as StorageError {
            return [.error(subject, error.message)]
        } catch {
            return [
                .error(
                    subject, CommandFailure(error).message ?? "\(error)",
                    "check that a Redis server listens there, and whether it uses TLS (rediss://)")
            ]
        }
    }

    static func findings(_ health: RedisHealth, _ subject: String) -> [Finding] {
        var findings =
            health.info.isEmpty
            ? [hidden(subject)]
            : [server(health.info, subject)] + memory(health.info, subject) + disk(health, subject)
        if let clock = health.clock { findings.append(ClockCheck.finding(subject, clock)) }
        return findings
    }

    private static func hidden(_ subject: String) -> Finding {
        .warning(
            subject, "answers, but does not show its configuration to this user",
            "to check it, let the user call INFO and CONFIG GET: ACL SETUSER NAME +info +config|get")
    }

    private static func server(_ info: [String: String], _ subject: String) -> Finding {
        let version = info["redis_version"] ?? "?"
        if let major = version.split(separator: ".").first.flatMap({ Int($0) }), major < 6 {
            return .error(subject, "is Redis \(version)", "run 6 or later")
        }
        if info["cluster_enabled"] == "1" {
            return .error(subject, "is part of a cluster", "use a server that has all keys itself")
        }
        if info["role"] == "slave" {
            return .error(subject, "is a replica, which accepts no writes", "use its primary")
        }
        return .good(subject, "Redis \(version) answers")
    }

    private static func memory(_ info: [String: String], _ subject: String) -> [Finding] {
        var findings: [Finding] = []
        let limit = info["maxmemory"].flatMap { Int($0) } ?? 0
        let policy = info["maxmemory_policy"] ?? "unknown"
        if policy == "noeviction" {
            findings.append(.good(subject, "evicts no keys when it is full (noeviction)"))
        } else {
            let advice = "set maxmemory-policy noeviction, also in its config file (CONFIG SET, CONFIG REWRITE)"
            findings.append(
                limit > 0
                    ? .error(subject, "evicts jobs when it is full: maxmemory-policy is \(policy)", advice)
                    : .warning(
                        subject, "would evict jobs with a maxmemory: maxmemory-policy is \(policy)", advice)
            )
        }
        if let evicted = info["evicted_keys"].flatMap({ Int($0) }), evicted > 0 {
            findings.append(
                .warning(
                    subject, "has evicted \(evicted) keys since its start, because it was full",
                    "check which jobs are left: jobreactor jobs list --storage"))
        }
        if limit > 0, let used = info["used_memory"].flatMap({ Int($0) }), used > limit / 10 * 9 {
            findings.append(
                .warning(
                    subject, "is nearly full: \(used >> 20) of \(limit >> 20) MiB",
                    "raise maxmemory, or start more nodes for the waiting jobs"))
        }
        return findings
    }

    private static func disk(_ health: RedisHealth, _ subject: String) -> [Finding] {
        let info = health.info
        var findings: [Finding] = []
        switch (info["aof_enabled"], health.settings["appendfsync"]) {
        case ("1", "always"): findings.append(.good(subject, "survives crashes and power cuts (appendfsync always)"))
        case ("1", "no"):
            findings.append(
                .warning(
                    subject, "may lose half a minute of jobs in a power cut (appendfsync no)",
                    "set appendfsync always, or everysec"))
        case ("1", let sync):
            let shown = sync ?? "unknown"
            findings.append(
                .good(
                    subject, "survives crashes, but may lose the last two seconds (appendfsync \(shown))"))
        default:
            let advice = "set appendonly yes, also in its config file (CONFIG SET, CONFIG REWRITE)"
            findings.append(
                health.settings["save"] == ""
                    ? .error(subject, "stores nothing on its disk: all jobs are lost when its process ends", advice)
                    : .warning(subject, "loses everything since its last snapshot when it crashes", advice))
        }
        for (name, what) in [
            ("aof_last_write_status", "to write its append-only file"),
            ("aof_last_bgrewrite_status", "to rewrite its append-only file"),
            ("rdb_last_bgsave_status", "to save a snapshot"),
        ] where info[name] == "err" {
            findings.append(
                .error(subject, "has failed \(what)", "check the free space on its disk, and its log"))
        }
        return findings
    }
}
