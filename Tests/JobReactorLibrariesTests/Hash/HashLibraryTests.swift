import JobReactorLibraries
import JobReactorLua
import Testing

@Suite struct HashLibraryTests {
    private let hash = Caller(library: HashLibrary())

    private func text(_ name: String, _ values: ScriptValue...) async throws -> String? {
        try await hash.call(name, values).first?.text
    }

    @Test("digests of the standards' own examples")
    func digests() async throws {
        #expect(
            try await text("sha256", .string("abc"))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            try await text("sha256", .string("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            try await text("sha512", .string("abc"))
                == "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f")
        #expect(try await text("sha1", .string("abc")) == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(try await text("md5", .string("abc")) == "900150983cd24fb0d6963f7d28e17f72")
        // RFC 4231, test case 2.
        #expect(
            try await text("hmac_sha256", .string("Jefe"), .string("what do ya want for nothing?"))
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }

    @Test("hexadecimal digits of any byte, and back in either case")
    func hexadecimal() async throws {
        #expect(try await text("hex", .string([0, 15, 16, 255])) == "000f10ff")
        #expect(try await hash.call("unhex", .string("000F10fF")) == [.string([0, 15, 16, 255])])
        let odd = await failure { try await hash.call("unhex", .string("abc")) }
        #expect(odd == "hash.unhex: two digits make a byte, and the number of digits, 3, is odd")
        let none = await failure { try await hash.call("unhex", .string("0g")) }
        #expect(none == "hash.unhex: the byte at 2 is not a hexadecimal digit")
    }

    @Test(
        "Base64 as in RFC 4648, and back",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ])
    func base64(_ plain: String, _ encoded: String) async throws {
        #expect(try await text("base64", .string(plain)) == encoded)
        #expect(try await text("unbase64", .string(encoded)) == plain)
        let bare = encoded.replacing("=", with: "")
        #expect(try await text("unbase64", .string(bare)) == plain)
        #expect(try await text("base64url", .string(plain)) == bare)
        #expect(try await text("unbase64url", .string(encoded)) == plain)
    }

    @Test("every byte survives, in the alphabet of its kind")
    func alphabets() async throws {
        let bytes = ScriptValue.string((0...255).map { UInt8($0) })
        for (encode, decode) in [("base64", "unbase64"), ("base64url", "unbase64url"), ("hex", "unhex")] {
            let encoded = try await hash.call(encode, bytes)
            #expect(try await hash.call(decode, encoded) == [bytes])
        }
        #expect(try await text("base64", .string([0xFB, 0xFF])) == "+/8=")
        #expect(try await text("base64url", .string([0xFB, 0xFF])) == "-_8")
    }

    @Test(
        "what is no Base64 is an error that says where",
        arguments: [
            ("unbase64", "Zg=", "hash.unbase64: the byte at 3 is not Base64"),
            ("unbase64", "Zm9vY", "hash.unbase64: the text is cut short"),
            ("unbase64", "Zh==", "hash.unbase64: the last digit has too many bits"),
            ("unbase64", "Zm 9v", "hash.unbase64: the text is cut short"),
            ("unbase64", "Z===", "hash.unbase64: the byte at 2 is not Base64"),
            ("unbase64", "-_8=", "hash.unbase64: the byte at 1 is not Base64"),
            ("unbase64url", "+/8", "hash.unbase64url: the byte at 1 is not Base64"),
        ])
    func noBase64(_ function: String, _ text: String, _ message: String) async {
        #expect(await failure { try await hash.call(function, .string(text)) } == message)
    }

    @Test("equal is about all bytes and their number")
    func equal() async throws {
        #expect(try await hash.call("equal", .string("abc"), .string("abc")) == [.bool(true)])
        #expect(try await hash.call("equal", .string("abc"), .string("abd")) == [.bool(false)])
        #expect(try await hash.call("equal", .string("abc"), .string("ab")) == [.bool(false)])
        #expect(try await hash.call("equal", .string(""), .string("")) == [.bool(true)])
    }

    @Test("random bytes are as many as asked for, and not the same twice")
    func random() async throws {
        let one = try await hash.call("random", .integer(33))
        let other = try await hash.call("random", .integer(33))
        #expect(one.first?.bytes?.count == 33)
        #expect(one != other)
        #expect(try await hash.call("random", .integer(0)) == [.string([])])
        for count in [-1, (1 << 20) + 1] {
            let message = await failure { try await hash.call("random", .integer(Int64(count))) }
            #expect(message == "hash.random returns 0 to 1048576 bytes at once, not \(count)")
        }
    }
}
