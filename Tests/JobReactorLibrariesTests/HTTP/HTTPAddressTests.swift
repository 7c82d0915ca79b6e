import Testing

@testable import JobReactorLibraries

@Suite struct HTTPAddressTests {
    @Test(
        "what a URL may not have is percent-encoded, and what is encoded already stays",
        arguments: [
            ("http://h/?a=%20b", "http://h/?a=%20b"), ("http://h/?a=%20b&c=d e", "http://h/?a=%20b&c=d%20e"),
            ("http://h/ä%C3%A4", "http://h/%C3%A4%C3%A4"), ("http://h/%", "http://h/%25"),
            ("http://h/%2", "http://h/%252"),
            ("http://h/%zz", "http://h/%25zz"),
            ("http://h/a[1]|{}\"<>\\^`", "http://h/a%5B1%5D%7C%7B%7D%22%3C%3E%5C%5E%60"),
            ("http://h/\r\nX: y\0", "http://h/%0D%0AX:%20y%00"), ("HTTP://H:8080", "http://h:8080"),
            ("https://h?x#frag?y", "https://h?x"), ("http://u:p@h/", "http://h/"), ("http://h:/a", "http://h/a"),
            ("http://[::1]:1/a;b=c,d!$'()*+~", "http://[::1]:1/a;b=c,d!$'()*+~"),
        ])
    func encoding(_ text: String, _ url: String) throws {
        #expect(try HTTPAddress(text.utf8).url == url)
    }

    @Test("bytes that are no text are encoded as they are")
    func bytes() throws {
        #expect(try HTTPAddress(Array("http://h/".utf8) + [0xE9, 0xFF]).url == "http://h/%E9%FF")
    }

    @Test("user and password are decoded, and are not of the URL")
    func login() throws {
        #expect(try HTTPAddress("http://ada:se%40cr%3aet@h/x".utf8).login == Array("ada:se@cr:et".utf8))
        #expect(try HTTPAddress("http://ada@h/x".utf8).login == Array("ada:".utf8))
        #expect(try HTTPAddress("http://a@b@h/x".utf8).login == Array("a@b:".utf8))
        #expect(try HTTPAddress("http://:x@h/x".utf8).login == nil)
        #expect(try HTTPAddress("http://h/x@y".utf8).login == nil)
    }

    @Test(
        "a host is what stands in the URL, whoever reads it",
        arguments: [
            "http://allowed.example\\@evil.example/", "http://allowed.example%00.evil.example/", "http://a%2eb/",
            "http://evil.example\0.allowed.example/", "http://[::1].allowed.example/", "http://a b/", "http://a\tb/",
        ])
    func noHost(_ url: String) {
        if let address = try? HTTPAddress(url.utf8) { #expect(address.server.host == "evil.example") }
    }

    @Test(
        "a Location leads elsewhere from where it was said",
        arguments: [
            ("/b", "http://h:1/b"), ("c?d=%20e f", "http://h:1/x/c?d=%20e%20f"), ("../c", "http://h:1/c"),
            ("?q", "http://h:1/x/y?q"),
            ("//other/z", "http://other/z"), ("HTTPS://Other:8443", "https://other:8443"), ("#top", nil as String?),
            ("ftp://h/", nil), ("file:///etc/passwd", nil), ("javascript:alert(1)", nil), ("", nil),
        ] as [(String, String?)])
    func locations(_ location: String, _ url: String?) throws {
        let from = try HTTPAddress("http://h:1/x/y".utf8)
        let to = try from.following(location)?.url
        // Where a URL means the very place, either is right.
        if location.isEmpty || location.hasPrefix("#") { return }
        #expect(to == url)
    }

    @Test(
        "a Location that no server can have is a problem",
        arguments: ["http://", "http://h:70000/", "//h:0", "http://[::1", "http:///x", "http://a b/", "//", "https:x"])
    func badLocations(_ location: String) throws {
        let from = try HTTPAddress("http://h/".utf8)
        #expect(throws: HTTPAddress.Problem.self) { try from.following(location) }
    }
}
