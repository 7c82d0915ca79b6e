import Testing

@testable import JobReactorCommand

@Suite struct UnknownVariablesTests {
    @Test(
        "a variable that is no setting is warned of, with the nearest that is",
        arguments: [
            ("JOBREACTOR_MAX_ATEMPT", "did you mean JOBREACTOR_MAX_ATTEMPT?"),
            ("JOBREACTOR_PASWORD", "did you mean JOBREACTOR_PASSWORD?"),
            ("JOBREACTOR_JOBS", "did you mean JOBREACTOR_JOB_DIRECTORY?"),
            ("JOBREACTOR_JSON", "did you mean JOBREACTOR_LOG_JSON?"),
            ("JOBREACTOR_SOMETHING_ELSE", "the help of each command lists the settings"),
            ("JOBREACTOR_", "the help of each command lists the settings"),
        ])
    func unknown(name: String, hint: String) {
        #expect(UnknownVariables.warnings([name: "1", "PATH": "/bin"]) == ["\(name) is not a setting: \(hint)"])
    }

    @Test("settings, what others set for a service of this name, and variables of others are not")
    func known() {
        var environment = [
            "JOBREACTOR_PORT": "tcp://10.0.0.1:5000", "JOBREACTOR_SERVICE_HOST": "10.0.0.1",
            "JOBREACTOR_SERVICE_PORT": "5000", "JOBREACTOR_SERVICE_PORT_RESP": "5000",
            "JOBREACTOR_PORT_5000_TCP": "tcp://10.0.0.1:5000", "JOBREACTOR_PORT_5000_TCP_PROTO": "tcp",
            "JOBREACTOR_MAIN_PORT_5000_TCP_ADDR": "10.0.0.1", "JOBREACTOR_STRICT": "1", "XJOBREACTOR_Y": "1",
        ]
        for setting in SettingTable.all { environment[setting.environmentName] = "1" }
        #expect(UnknownVariables.warnings(environment) == [])
        #expect(UnknownVariables.warnings(["JOBREACTOR_PORT": "5000"]).count == 1)
    }

    @Test("names are printed as text, in their order")
    func printed() {
        let warnings = UnknownVariables.warnings(["JOBREACTOR_\u{1B}[2J": "", "JOBREACTOR_A\nB": ""])
        #expect(warnings.map { $0.prefix(16) } == ["JOBREACTOR_\\x1b[", "JOBREACTOR_A\\nB "])
    }
}
