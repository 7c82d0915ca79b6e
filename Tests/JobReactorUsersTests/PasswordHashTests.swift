import Testing

@testable import JobReactorUsers

@Suite struct PasswordHashTests {
    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test("a password matches its hash, also when that was written and read")
    func matches() throws {
        let hash = try #require(PasswordHash(of: Self.bytes("größe\u{0} 1"), rounds: 4))
        #expect(hash.matches(Self.bytes("größe\u{0} 1")))
        for wrong in ["", "größe\u{0} ", "größe\u{0} 12", "Größe\u{0} 1"] { #expect(!hash.matches(Self.bytes(wrong))) }
        let read = try #require(PasswordHash(hash.description))
        #expect(read == hash && read.description == hash.description)
        #expect(read.matches(Self.bytes("größe\u{0} 1")))
    }

    @Test("a zero at the end is no part of a password")
    func zeroAtTheEnd() throws {
        let hash = try #require(PasswordHash(of: Self.bytes("secret"), rounds: 4))
        #expect(!hash.matches(Self.bytes("secret\u{0}")) && !hash.matches([0]))
        #expect(PasswordHash(of: Self.bytes("secret\u{0}"), rounds: 4) == nil)
    }

    @Test("two hashes of one password are not the same")
    func salt() throws {
        let first = try #require(PasswordHash(of: Self.bytes("x"), rounds: 4))
        let second = try #require(PasswordHash(of: Self.bytes("x"), rounds: 4))
        #expect(first != second)
    }

    /// From RFC 7914, section 12: "pleaseletmein" with the salt "SodiumChloride".
    @Test("the hash is that of other programs")
    func known() throws {
        let text =
            "$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU"
            + "$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw"
        let hash = try #require(PasswordHash(text))
        #expect(hash.matches(Self.bytes("pleaseletmein")))
        #expect(hash.description == text)
    }

    @Test(
        "what is no hash, or asks for too much",
        arguments: [
            "", "secret", "$scrypt$", "$scrypt$ln=4,r=8,p=1$", "$scrypt$ln=4,r=8,p=1$AAAAAAAAAAAAAAAA$",
            "$scrypt$ln=4,r=8,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$scrypt$ln=4,r=8$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAA",
            "$scrypt$ln=40,r=8,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAA",
            "$scrypt$ln=20,r=64,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAA",
            "$scrypt$ln=0,r=8,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAA",
            "$scrypt$ln=4,r=0,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAA",
            "$scrypt$ln=4,r=8,p=-1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAA",
            "$scrypt$ln=4,ln=4,r=8,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAA",
            "$scrypt$ln=9223372036854775807,r=8,p=1$AAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAA",
            "$scrypt$ln=4,r=8,p=1$!!!!!!!!!!!!!!!!$AAAAAAAAAAAAAAAAAAAAAAAA", "$5$salt$AAAAAAAAAAAAAAAAAAAAAAAA",
        ])
    func none(text: String) {
        #expect(PasswordHash(text) == nil)
    }
}
