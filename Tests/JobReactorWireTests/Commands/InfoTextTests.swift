import Testing

@testable import JobReactorWire

@Suite struct InfoTextTests {
    static let sections: [InfoText.Section] = [
        ("Server", [("version", "1"), ("port", "5000")]), ("Jobs", [("waiting", "3")]), ("Empty", []),
    ]
    static let all = "# Server\r\nversion:1\r\nport:5000\r\n\r\n# Jobs\r\nwaiting:3\r\n\r\n# Empty\r\n"

    @Test(
        "all sections, or the one asked for",
        arguments: [
            (nil, all), ("all", all), ("everything", all), ("default", all), ("DEFAULT", all),
            ("jobs", "# Jobs\r\nwaiting:3\r\n"), ("JOBS", "# Jobs\r\nwaiting:3\r\n"), ("empty", "# Empty\r\n"),
            ("none such", ""), ("", ""),
        ] as [(String?, String)])
    func make(section: String?, text: String) {
        #expect(InfoText.make(section, Self.sections) == text)
    }

    @Test("what comes from a peer stays in its field")
    func hostile() {
        let text = InfoText.make(nil, [("Nodes", [("n\r\n# Jobs", "a\r\nwaiting:0\u{1B}[2J\u{9B}31m\t\u{7F}é")])])
        #expect(
            text == #"# Nodes"# + "\r\n" + #"n\xd\xa# Jobs:a\xd\xawaiting:0\x1b[2J\x9b31m\x9\x7fé"# + "\r\n")
    }
}
