import JobReactorCore
import JobReactorLibraries
import JobReactorWire
import Testing

@testable import JobReactorCommand

@Suite struct SettingKindTests {
    @Test(
        arguments: [
            ("0", 0), ("1000", 1000), ("64K", 64 << 10), ("512m", 512 << 20), ("1G", 1 << 30), ("10X", nil), ("K", nil),
            ("-1", nil), ("1.5M", nil), ("99999999999999999999G", nil), ("9999999999999G", nil), ("1025G", nil),
        ] as [(String, Int?)])
    func bytes(text: String, count: Int?) {
        #expect(SettingKind.byteCount(0...1 << 40).read([text]) == count)
    }

    @Test(
        arguments: [
            ("0", 0), ("1.5", 1.5), ("1e3", 1000), ("-0.1", nil), ("nan", nil), ("inf", nil), ("1e300", nil),
            ("5 s", nil),
        ] as [(String, Double?)])
    func seconds(text: String, count: Double?) {
        #expect(SettingKind<Double>.seconds.read([text]) == count)
    }

    @Test(
        arguments: [
            ("0", 0), ("1700000000.5", 1_700_000_000.5), ("-1", -1), ("2023-11-14T22:13:20Z", 1_700_000_000),
            ("2023-11-15T00:13:20+02:00", 1_700_000_000), ("2023-11-14T22:13:20.250Z", 1_700_000_000.25),
            ("2023-11-14T22:13:20", nil), ("2023-11-14", nil), ("tomorrow", nil), ("nan", nil), ("1e20", nil),
        ] as [(String, Double?)])
    func times(text: String, seconds: Double?) {
        #expect(SettingKind<Timestamp>.time.read([text])?.seconds == seconds)
    }

    @Test(arguments: ["localhost:5000", "[::1]:5000", "10.0.0.1:1"]) func addressesToDial(text: String) {
        #expect(SettingKind<Address>.address.read([text])?.description == text)
    }

    @Test(arguments: ["localhost", ":5000", "localhost:", "localhost:0", "localhost:70000", "::1:5000", ""])
    func noAddressesToDial(text: String) {
        #expect(SettingKind<Address>.address.read([text]) == nil)
        #expect(SettingKind<[Address]>.addresses.read([text]) == nil)
        #expect(SettingKind<[Address]>.addresses.read(["a:1,\(text)"]) == nil)
    }

    @Test func listeningMayTakeAnyFreePort() {
        #expect(SettingKind<Address>.listenAddress.read(["localhost:0"])?.port == 0)
    }

    @Test(arguments: ["example.org", "*.example.org:443", "[::1]:6379,10.0.0.1", "::1"]) func hosts(text: String) {
        #expect(SettingKind<[HostRule]>.hostRules.read([text])?.map(\.description).joined(separator: ",") == text)
        #expect(SettingKind<[HostRule]>.hostRules.read([text, "a"])?.last == HostRule("a"))
    }

    @Test(arguments: ["", "*", "http://a", "a:0", "a,,b", "a b"]) func noHosts(text: String) {
        #expect(SettingKind<[HostRule]>.hostRules.read([text]) == nil)
    }

    @Test func ids() {
        let text = "0123456789abcdef0123456789abcdef"
        #expect(SettingKind<JobID>.jobID.read([text])?.description == text)
        #expect(SettingKind<JobID>.jobID.read(["xyz"]) == nil)
    }
}
