import Logging
import Testing

@testable import JobReactorCommand

@Suite struct ConfigFileTests {
    @Test func everyTypeOfValueIsRead() throws {
        let file = try TemporaryFile(
            """
            {"name": "worker_1", "window": 7, "retry_multiplier": 0.5, "memory_limit": "64M", "frame_limit": 4096,
             "tls_require_client_certificate": true, "log_level": "debug", "distributor": ["a:1"]}
            """)
        let settings = try settings(file: file)
        #expect(try settings.value(\.name) == "worker_1")
        #expect(try settings.value(\.window) == 7)
        #expect(try settings.value(\.retryMultiplier) == 0.5)
        #expect(try settings.value(\.memoryLimit) == 64 << 20)
        #expect(try settings.value(\.frameLimit) == 4096)
        #expect(try settings.value(\.tlsRequireClientCertificate))
        #expect(try settings.value(\.logLevel) == .debug)
    }

    @Test(arguments: [
        (#"{"max_attemt": 3}"#, "c.json: unknown key 'max_attemt': did you mean max_attempt?"),
        (#"{"max-attempt": 3}"#, "c.json: unknown key 'max-attempt': write max_attempt"),
        (#"{"jobs": "x"}"#, "c.json: unknown key 'jobs': write job_directory"),
        (#"{"max_attempt": 0}"#, "c.json: max_attempt takes a whole number from 1 to 2147483647, not 0"),
        (#"{"max_attempt": "3"}"#, "c.json: max_attempt takes a whole number from 1 to 2147483647, not \"3\""),
        (#"{"max_attempt": true}"#, "c.json: max_attempt takes a whole number from 1 to 2147483647, not true"),
        (#"{"max_attempt": 1.5}"#, "c.json: max_attempt takes a whole number from 1 to 2147483647, not 1.5"),
        (#"{"max_attempt": null}"#, "c.json: max_attempt takes a whole number from 1 to 2147483647, not null"),
        (#"{"remove_done_jobs": 1}"#, "c.json: remove_done_jobs takes true or false, not 1"),
        (#"{"tls": {"x": 1}}"#, "c.json: tls takes true or false, not {\"x\":1}"),
        ("[1]", "c.json must be one JSON object of settings, such as {\"max_attempt\": 3}"),
        ("", "c.json:1:1: invalid JSON: expected a value"),
        ("{\n  \"grace\": 03\n}", "c.json:2:13: invalid JSON: expected ',' or '}'"),
    ])
    func aMistakeIsOneLineThatNamesFileAndKey(text: String, message: String) {
        #expect(failure { _ = try ConfigFile(Array(text.utf8), from: "c.json") } == .usage(message))
    }

    @Test(arguments: [#"{"zebra": 1}"#, #"{"config": "other.json"}"#])
    func aKeyLikeNoOtherGetsTheListOfKeys(text: String) {
        let message = failure { _ = try ConfigFile(Array(text.utf8), from: "c.json") }?.message
        #expect(message?.contains("the keys are name, distributor, server") == true)
    }

    @Test func aFileThatCannotBeReadIsNamed() {
        let message =
            "cannot read /no/such: No such file or directory: name another file with --config or JOBREACTOR_CONFIG"
        #expect(failure { _ = try ConfigFile("/no/such") } == .usage(message))
        #expect(failure { _ = try ConfigFile("/") }?.message?.contains("Is a directory") == true)
    }

    @Test func aPasswordInAFileIsForItsOwnerAlone() throws {
        let open = try TemporaryFile(#"{"password": "sesame"}"#, mode: 0o640)
        #expect(
            failure { _ = try settings(file: open) }
                == .usage("\(open.path) has a password and others can read it: chmod 600 \(open.path)"))
        let harmless = try TemporaryFile(#"{"window": 1}"#, mode: 0o644)
        #expect(try settings(file: harmless).value(\.window) == 1)
    }

    @Test func aWrongPasswordIsNotShown() {
        let text = #"{"password": 123456}"#
        #expect(failure { _ = try ConfigFile(Array(text.utf8), from: "c") } == .usage("c: password takes a text"))
    }
}
