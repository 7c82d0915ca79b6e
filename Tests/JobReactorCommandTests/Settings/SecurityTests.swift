import ArgumentParser
import JobReactorWire
import Testing

@testable import JobReactorCommand

@Suite struct SecurityTests {
    private func security(
        _ settings: Settings, _ arguments: [String] = [], listens: Bool = false
    ) throws -> WireSecurity {
        try settings.security(try SecurityOptions.parse(arguments), listens: listens)
    }

    @Test func thePasswordComesFromTheFlagsFileTheEnvironmentOrTheConfigFile() throws {
        let flagged = try TemporaryFile("from flag\nsecond line\n")
        let configured = try TemporaryFile(#"{"password": "from config"}"#)
        let settings = try settings(["JOBREACTOR_PASSWORD": "from environment"], file: configured)
        #expect(try security(settings, ["--password-file", flagged.path]).password?.text == "from flag")
        #expect(try security(settings).password?.text == "from environment")
        #expect(
            try security(JobReactorCommandTests.settings(file: configured)).password?.text == "from config")
        let variable = try JobReactorCommandTests.settings(["JOBREACTOR_PASSWORD_FILE": flagged.path], file: configured)
        #expect(try security(variable).password?.text == "from flag")
        #expect(try security(JobReactorCommandTests.settings()).password == nil)
    }

    @Test func aPasswordFileIsForItsOwnerAlone() throws {
        for mode in [0o644, 0o640, 0o602] {
            let file = try TemporaryFile("sesame", mode: mode)
            #expect(
                failure { _ = try security(settings(), ["--password-file", file.path]) }
                    == .usage("\(file.path) is the password file and others can read it: chmod 600 \(file.path)"))
        }
    }

    @Test func aKeyIsForItsOwnerAndItsGroupAlone() throws {
        let certificate = try TemporaryFile("not a certificate")
        for mode in [0o644, 0o604, 0o660] {
            let key = try TemporaryFile("not a key", mode: mode)
            let flags = ["--tls-certificate", certificate.path, "--tls-key", key.path]
            #expect(
                failure { _ = try security(settings(), flags) }
                    == .usage(
                        "\(key.path) is a private key that others can read: chmod 600 \(key.path), or 640 for its group"
                    ))
        }
        for mode in [0o600, 0o400, 0o640] {
            let key = try TemporaryFile("not a key", mode: mode)
            let flags = ["--tls-certificate", certificate.path, "--tls-key", key.path]
            let failure = failure { _ = try security(settings(), flags) }
            #expect(failure?.description.contains("check the certificate") == true)
        }
    }

    @Test func anEmptyPasswordIsNoPassword() throws {
        let file = try TemporaryFile("\nsesame")
        #expect(
            failure { _ = try security(settings(), ["--password-file", file.path]) }
                == .usage("\(file.path): the first line is empty: write the password there"))
        #expect(
            failure { _ = try security(settings(["JOBREACTOR_PASSWORD": ""])) }
                == .usage("JOBREACTOR_PASSWORD takes a text, not an empty value"))
    }

    @Test func twoPasswordsInOnePlaceAreAMistake() {
        let environment = ["JOBREACTOR_PASSWORD": "a", "JOBREACTOR_PASSWORD_FILE": "b"]
        #expect(
            failure { _ = try security(settings(environment)) }
                == .usage("JOBREACTOR_PASSWORD and JOBREACTOR_PASSWORD_FILE are both set: keep one of them"))
    }

    @Test func tlsIsOffUntilSomethingOfItIsSaid() throws {
        #expect(try security(settings()).tls == nil)
        #expect(try security(settings(), ["--tls"]).tls != nil)
        #expect(try security(settings(["JOBREACTOR_TLS": "true"]), ["--no-tls"]).tls == nil)
    }

    @Test func tlsSettingsThatDoNotGoTogetherAreToldBeforeAnythingStarts() throws {
        let file = try TemporaryFile("not a certificate")
        #expect(
            failure { _ = try security(settings(), ["--tls-certificate", file.path]) }
                == .usage("--tls-certificate and --tls-key belong together: give both"))
        #expect(
            failure { _ = try security(settings(), ["--tls"], listens: true) }
                == .usage("listening with TLS needs a certificate: give --tls-certificate and --tls-key"))
        #expect(
            failure { _ = try security(settings(["JOBREACTOR_TLS_AUTHORITY": "/no/such"])) }
                == .usage(
                    "cannot read /no/such: No such file or directory: name another file with JOBREACTOR_TLS_AUTHORITY"))
        let pair = ["--tls-certificate", file.path, "--tls-key", file.path]
        #expect(failure { _ = try security(settings(), pair) }?.code == .usage)
        #expect(
            failure { _ = try security(settings(), pair + ["--tls-require-client-certificate"], listens: true) }
                == .usage("--tls-require-client-certificate needs --tls-authority, which signed the certificates"))
    }
}
