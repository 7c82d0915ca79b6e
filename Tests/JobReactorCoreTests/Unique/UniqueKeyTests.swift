import JobReactorCore
import Testing

@Suite struct UniqueKeyTests {
    @Test("a key that is made of args is that of all args with the same members, in whatever order")
    func args() throws {
        let key = UniqueKey(
            job: "mail", args: try JobArguments(json: #"{"to": "ann", "cc": [1, 2.0], "x": {"b": 1, "a": null}}"#))
        #expect(key.key == #"{"cc":[1,2.0],"to":"ann","x":{"a":null,"b":1}}"#)
        #expect(
            key
                == UniqueKey(
                    job: "mail", args: try JobArguments(json: #"{"x":{"a":null,"b":1},"cc":[1,2.0],"to":"\u0061nn"}"#)))
        #expect(key != UniqueKey(job: "sms", args: try JobArguments(json: key.key)))
        for other in [
            "{}", #"{"cc":[2.0,1],"to":"ann","x":{"a":null,"b":1}}"#, #"{"cc":[1,2],"to":"ann","x":{"a":null,"b":1}}"#,
        ] {
            #expect(UniqueKey(job: "mail", args: try JobArguments(json: other)) != key)
        }
    }

    @Test(
        "a long one is a digest, SHA-256 of the sorted JSON",
        arguments: [
            (129, "1faa0161e02a0e491ea7024e5bf29680e26ba5daeb3e36b45775db3bf19a430d"),
            (183, "d14d09ed12471f99c414412db31477fe988d4fee8e9a78c1305db272e9860df9"),
            (184, "91241cd793311cf502771e6e536f3790fc8bea8ce14dbef2f81fd3035910a277"),
            (191, "9ce537bc35a8b35fe064ce976f0327833292209e0413fd1b23bf438b9f55593f"),
            (192, "2e0f7678b522848caf69fe4481229591f62dfd0660d67e7eca681f62949735e9"),
            (193, "f697495c2c0eeb65f454663618fddf5358ad00ebcf1177a87fd745740cab196f"),
            (247, "02b40d2ee30d33d5b84d7a0e23f3c5a05fc3d2ca51960d8765c27e6c1ec3684b"),
            (248, "59a9e788050719ba25a65a644e41c997b9169134032a5d3746e2d8f38acadb67"),
            (255, "d523eb7f21e41e4aa7b58291dc807b8b31cbd17fc166a42dfcf24e91cfe53c4b"),
            (256, "8b950c31ba9d47e12ae027c263e331b5fb42302c9c1f7aaaa51d72d344ef35a8"),
            (1000, "7591e2b333525b072a22133ceb7237367e551bb7d9dad9c1989c0b5766d77be2"),
        ] as [(Int, String)])
    func digest(length: Int, digest: String) throws {
        // As many bytes of JSON, about the ends of blocks.
        let key = UniqueKey(job: "mail", args: ["a": .string(String(repeating: "x", count: length - 8))])
        #expect(key.key == "sha256:\(digest)")
    }

    @Test("args of up to 128 bytes of JSON are their own key")
    func short() {
        #expect(UniqueKey(job: "mail", args: ["a": .string(String(repeating: "x", count: 120))]).key.utf8.count == 128)
        #expect(
            UniqueKey(job: "mail", args: ["a": .string(String(repeating: "x", count: 121))]).key.hasPrefix("sha256:"))
    }

    @Test("a key has 1 to 255 bytes and no control characters")
    func allowed() throws {
        for key in ["x", "two words", "ключ", String(repeating: "x", count: 255)] {
            #expect(try UniqueKey(job: "mail", key: key).key == key)
        }
        for key in ["", String(repeating: "x", count: 256), "a\nb", "\u{7F}", "\u{0}"] {
            let error = #expect(throws: JobError.self) { try UniqueKey(job: "mail", key: key) }
            #expect(error?.code == .invalidOption)
            #expect(error?.message.hasPrefix("unique takes a key of 1 to 255 bytes without control characters") == true)
        }
        #expect(UniqueConflict.allCases.map(\.rawValue) == ["keep", "replace", "again", "raise"])
    }
}
