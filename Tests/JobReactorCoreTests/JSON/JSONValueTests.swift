import JobReactorCore
import Testing

@Suite struct JSONValueTests {
    @Test("literals say what they are")
    func literals() {
        let pairs: [(JSONValue, JSONValue)] = [
            (nil, .null), (true, .bool(true)), (1, .integer(1)), (-1, .integer(-1)), (1.0, .number(1)),
            ("a", .string("a")), ("\(1 + 1)", .string("2")), ([1, "a"], .array([.integer(1), .string("a")])),
            (["a": nil], .object(["a": .null])), (["a": 1, "a": 2], .object(["a": .integer(2)])),
        ]
        for (literal, value) in pairs { #expect(literal == value) }
        #expect(JSONValue(1) != JSONValue(1.0))
    }

    @Test("numbers of all types become values")
    func numbers() {
        #expect(JSONValue(UInt8.max) == .integer(255))
        #expect(JSONValue(UInt64(Int64.max)) == .integer(.max))
        #expect(JSONValue(UInt64.max) == .number(0x1p64))
        #expect(JSONValue(Int128.min) == .number(-0x1p127))
        #expect(JSONValue(true) == .bool(true))
        #expect(JSONValue("x") == .string("x"))
        let double = 2.0
        #expect(JSONValue(double) == .number(2))
    }

    @Test("each accessor gives its own kind and nil for the others")
    func accessors() {
        let values: [JSONValue] = [nil, true, 3, 3.0, 3.5, "3", [3], ["3": 3]]
        #expect(values.map(\.bool) == [nil, true, nil, nil, nil, nil, nil, nil])
        #expect(values.map(\.int) == [nil, nil, 3, 3, nil, nil, nil, nil])
        #expect(values.map(\.double) == [nil, nil, 3, 3, 3.5, nil, nil, nil])
        #expect(values.map(\.string) == [nil, nil, nil, nil, nil, "3", nil, nil])
        #expect(values.map(\.array) == [nil, nil, nil, nil, nil, nil, [3], nil])
        #expect(values.map(\.object) == [nil, nil, nil, nil, nil, nil, nil, ["3": 3]])
        #expect(values.map { $0["3"] } == [nil, nil, nil, nil, nil, nil, nil, 3])
        #expect(values.map { $0[0] } == [nil, nil, nil, nil, nil, nil, 3, nil])
    }

    @Test("a float is a whole number when it is one that fits")
    func wholeFloats() {
        let rows: [(Double, Int?)] = [
            (0, 0), (-0.0, 0), (1e15, 1_000_000_000_000_000), (-0x1p63, .min), (0x1p63, nil), (0.5, nil), (.nan, nil),
            (.infinity, nil), (1e300, nil),
        ]
        for (number, expected) in rows { #expect(JSONValue.number(number).int == expected) }
    }

    @Test("what is absent or out of range is nil")
    func absent() {
        let value: JSONValue = ["a": [1, 2], "n": nil]
        #expect(value["a"]?[1] == 2)
        #expect(value["a"]?[2] == nil)
        #expect(value["a"]?[-1] == nil)
        #expect(value["b"] == nil)
        #expect(value["n"] == .null)
        #expect(value["a"]?["x"] == nil)
    }
}
