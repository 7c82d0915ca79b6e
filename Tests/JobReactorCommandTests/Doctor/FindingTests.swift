import JobReactorCore
import JobReactorRedis
import JobReactorWire
import Testing

@testable import JobReactorCommand

/// What the doctor makes of what it has seen.
@Suite("Findings of the doctor") struct FindingTests {
    private static func levels(_ findings: [Finding]) -> [Finding.Level] { findings.map(\.level) }

    @Test("are one line each, also where a peer's words are many, and as JSON")
    func lines() {
        let finding = Finding.error("listen a:1", "is\nbroken \u{1B}[31m", "mend it")
        #expect(finding.line == "error    listen a:1: is\\nbroken \\x1b[31m: mend it")
        #expect(Finding.good("a", "b").line == "ok       a: b")
        #expect(
            Finding.good("a", "b").json.json == #"{"advice":null,"level":"ok","message":"b","subject":"a"}"#)
        #expect(Finding.summary([finding, .good("a", "b"), .warning("a", "b")]) == "1 error, 1 warning")
        #expect(Finding.summary([]) == "0 errors, 0 warnings")
    }

    @Test("a clock counts as wrong by no more than it is for certain")
    func clocks() {
        func level(_ theirs: Double) -> Finding.Level {
            ClockCheck.finding(
                "x",
                ClockReading(
                    asked: Timestamp(seconds: 1000), theirs: Timestamp(seconds: theirs),
                    answered: Timestamp(seconds: 1005))
            ).level
        }
        #expect(level(1000) == .good && level(1005) == .good && level(998.5) == .good && level(1006.5) == .good)
        #expect(level(998) == .warning && level(1007) == .warning && level(1064) == .warning)
        #expect(level(940) == .error && level(1065) == .error)
    }

    @Test("open files have to suffice for all connections")
    func files() {
        #expect(MachineCheck.openFiles(10_200, connections: 10_000).level == .good)
        let finding = MachineCheck.openFiles(10_199, connections: 10_000)
        #expect(finding.level == .warning && finding.advice?.contains("10200") == true)
    }

    @Test("a disk is full before nothing is free")
    func disks() {
        #expect(SQLiteCheck.room(1 << 30, "x").level == .good)
        #expect(SQLiteCheck.room((1 << 30) - 1, "x").level == .warning)
        #expect(SQLiteCheck.room((64 << 20) - 1, "x").level == .error)
    }

    @Test("users are to be able together to run jobs, enqueue, look and mend")
    func users() {
        let all = [User(name: "a", roles: [.admin])]
        #expect(Self.levels(UsersCheck.findings(all, "x")) == [.good])
        let some = [User(name: "a", roles: [.node, .viewer])]
        let findings = UsersCheck.findings(some, "x").filter { $0.level == .warning }
        #expect(findings.compactMap(\.advice).map { $0.split(separator: " ").last } == ["producer", "operator"])
        #expect(UsersCheck.findings([], "x").count { $0.level == .warning } == 4)
    }

    @Test("a distributor is of the same release, and lets run nodes")
    func peers() {
        func release(_ fields: [String: String]) -> [Finding.Level] { Self.levels(PeerCheck.release(fields, "x")) }
        let own = ["jobreactor_version": JobReactorVersion.current, "role": "distributor", "name": "d"]
        #expect(release(own) == [.good])
        #expect(release(own.merging(["jobreactor_version": "0.0.1"]) { $1 }) == [.warning])
        #expect(release(own.merging(["role": "node"]) { $1 }) == [.error])
        #expect(release(["redis_version": "7.0.15", "role": "master"]) == [.error])
        #expect(PeerCheck.roles(["user": "n1", "roles": "node,producer"], "x").level == .good)
        #expect(PeerCheck.roles(["user": "a", "roles": "admin"], "x").level == .good)
        #expect(PeerCheck.roles(["user": "ann", "roles": "viewer"], "x").level == .warning)
        #expect(
            PeerCheck.fields("# Server\r\nrole:node\r\nname:a:b\r\nempty:\r\n")
                == ["role": "node", "name": "a:b", "empty": ""])
    }

    private static let sound = [
        "redis_version": "7.0.15", "role": "master", "maxmemory": "0", "maxmemory_policy": "noeviction",
        "aof_enabled": "1", "cluster_enabled": "0", "evicted_keys": "0", "used_memory": "1000000",
        "aof_last_write_status": "ok", "aof_last_bgrewrite_status": "ok", "rdb_last_bgsave_status": "ok",
    ]

    @Test(
        "Redis keeps what it has",
        arguments: [
            (["redis_version": "5.0.7"], Finding.Level.error, "run 6 or later"),
            (["cluster_enabled": "1"], .error, "a server that has all keys"),
            (["role": "slave"], .error, "use its primary"),
            (["maxmemory_policy": "allkeys-lru"], .warning, "noeviction"),
            (["maxmemory_policy": "volatile-ttl", "maxmemory": "100000000"], .error, "noeviction"),
            (["maxmemory": "1100000"], .warning, "raise maxmemory"),
            (["evicted_keys": "7"], .warning, "check which jobs are left"),
            (["aof_enabled": "0"], .warning, "appendonly yes"),
            (["aof_last_write_status": "err"], .error, "the free space on its disk"),
            (["aof_last_bgrewrite_status": "err"], .error, "the free space on its disk"),
            (["rdb_last_bgsave_status": "err"], .error, "the free space on its disk"),
        ])
    func redis(changed: [String: String], level: Finding.Level, advice: String) {
        let health = RedisHealth(info: Self.sound.merging(changed) { $1 })
        let findings = RedisCheck.findings(health, "x").filter { $0.level != .good }
        #expect(findings.map(\.level) == [level])
        #expect(findings.first?.advice?.contains(advice) == true, "\(findings)")
    }

    @Test("a Redis server that shows nothing may keep all")
    func hiddenRedis() {
        let findings = RedisCheck.findings(RedisHealth(info: [:]), "x")
        #expect(Self.levels(findings) == [.warning] && findings[0].advice?.contains("+info") == true)
    }

    @Test(
        "Redis writes what it has to its disk",
        arguments: [
            (["appendfsync": "always"], "1", Finding.Level.good), (["appendfsync": "everysec"], "1", .good),
            ([:], "1", .good), (["appendfsync": "no"], "1", .warning),
            (["appendfsync": "always", "save": "3600 1"], "0", .warning), (["save": ""], "0", .error),
        ])
    func persistence(settings: [String: String], appends: String, level: Finding.Level) {
        let info = Self.sound.merging(["aof_enabled": appends]) { $1 }
        let findings = RedisCheck.findings(RedisHealth(info: info, settings: settings), "x")
        #expect(findings.map(\.level) == [.good, .good, level])
    }

    @Test("the file system of a folder is the one mounted nearest, and last")
    func mounts() {
        let table = MountTable(
            """
            22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
            23 22 0:5 / /srv rw - nfs4 server:/srv rw,vers=4
            24 23 0:6 / /srv/local rw master:2 shared:3 - xfs /dev/vdb rw
            25 22 0:7 / /two\\040words rw - cifs //server/share rw
            26 22 0:8 / /twice rw - nfs a rw
            27 22 0:9 / /twice rw - tmpfs b rw
            a line that is none
            """)
        #expect(table.kind(of: "/") == "ext4" && table.kind(of: "/srvx") == "ext4")
        #expect(table.kind(of: "/srv") == "nfs4" && table.kind(of: "/srv/jobs") == "nfs4")
        #expect(table.kind(of: "/srv/local/a") == "xfs")
        #expect(table.kind(of: "/two words/a") == "cifs")
        #expect(table.kind(of: "/twice") == "tmpfs")
        #expect(MountTable("").kind(of: "/") == nil)
    }
}
