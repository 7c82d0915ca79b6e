import JobReactorCore
import Testing

@Suite struct ZoneDatabaseTests {
    @Test("each name of the machine has rules")
    func names() throws {
        let names = ZoneDatabase.system.names
        #expect(names == names.sorted())
        for name in names { #expect(throws: Never.self, "\(name)") { try ZoneDatabase.system.rules(of: name) } }
        guard names.contains("Europe/Berlin") else { return }
        let winter = Timestamp(microseconds: 1_767_225_600_000_000)
        #expect(try ZoneDatabase.system.rules(of: "Europe/Berlin").offset(at: winter) == 3600)
        #expect(try ZoneDatabase.system.rules(of: "Europe/Berlin") == ZoneDatabase.system.rules(of: "Europe/Berlin"))
        #expect(!names.contains { $0.hasPrefix("right/") || $0.hasPrefix("posix/") || $0 == "localtime" })
    }

    @Test(
        "no name leads out of the directory",
        arguments: [
            "", "/", "/etc/passwd", "../zoneinfo/UTC", "Europe/../UTC", "Europe//Berlin", "Europe/", "/UTC", ".", "..",
            "Europe/Berlin\u{0}", "Euröpe/Berlin", "right/UTC", "posix/UTC", "Europe\\Berlin", "UTC ",
            "EST5EDT,M3.2.0,M11.1.0",
            String(repeating: "A", count: 256),
        ])
    func noNames(name: String) {
        let error = #expect(throws: JobError.self) { try ZoneDatabase.system.rules(of: name) }
        #expect(error?.code == .invalidOption)
        #expect(error?.message.hasPrefix("timezone takes an IANA name such as Europe/Berlin or UTC, not '") == true)
        #expect((error?.message.utf8.count ?? 0) < 300)
    }

    @Test("an unknown name is an error that says what may have been meant")
    func unknown() {
        guard ZoneDatabase.system.names.contains("Europe/Berlin") else { return }
        for (name, end) in [
            ("europe/berlin", "did you mean 'Europe/Berlin'?"), ("Europe/Berln", "did you mean 'Europe/Berlin'?"),
            ("Nowhere/Nothing_At_All", "timezone takes an IANA name such as Europe/Berlin or UTC"), ("Europe", "UTC"),
            ("tzdata", "UTC"),
        ] {
            let error = #expect(throws: JobError.self) { try ZoneDatabase.system.rules(of: name) }
            #expect(error?.message.hasPrefix("unknown time zone '\(name)'") == true)
            #expect(error?.message.hasSuffix(end) == true || end == "UTC", "\(error?.message ?? "")")
        }
    }

    @Test("a machine without files knows UTC, and says what others need")
    func noFiles() throws {
        let none = ZoneDatabase(directories: ["/nonexistent"])
        #expect(none.names == [])
        #expect(try none.rules(of: "UTC") == .utc)
        let error = #expect(throws: JobError.self) { try none.rules(of: "Europe/Berlin") }
        #expect(
            error?.message
                == "this machine has no time zones, so 'Europe/Berlin' is unknown: install its package tzdata, or"
                + " set TZDIR")
    }
}
