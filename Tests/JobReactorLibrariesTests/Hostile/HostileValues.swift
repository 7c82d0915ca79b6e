import JobReactorLua
import JobReactorTesting

@testable import JobReactorLibraries

/// Values that nobody should give to a function: numbers at all edges, all bytes, long, of wrong types.
struct HostileValues {
    private static let integers: [Int64] = [
        .min, .max, 0, -1, 1, 2, 100, 101, 65_535, 65_536, 2_147_483_647, 4_294_967_295, 9_007_199_254_740_992,
    ]

    private static let floats: [Double] = [
        .nan, -.nan, .infinity, -.infinity, 0, -0.0, 0.5, -0.5, 1e-308, .leastNonzeroMagnitude, 1e19, -1e19, 1.7e308,
        9.3e18, 86_400,
        86_401,
    ]

    private static let texts: [String] = [
        "", "\0", " ", "a", "a\0b", "\r\n", "X: y\r\nZ: w", "%", "%00", "..", "/", ".", "-", "ä", "\u{FEFF}",
        "'\"`$(id)",
        "http://", "http://127.0.0.1:0/", "http://127.0.0.1:65536/", "http://127.0.0.1:99999999999999999999/",
        "http://\0/", "http://[::1", "http://a%00b/", "https://:443", "redis://127.0.0.1:0",
        "redis://127.0.0.1:65536/0",
        "redis://a\0b", "redis://127.0.0.1:1/-1", "redis://127.0.0.1:1/99999999999999999999", "rediss://[::1",
        "redis://u:p@/0", "CONNECT", "PRI", "A=B", "=", "1A", "====", "Zg==", "0", "nan",
    ]

    private static let bytes: [[UInt8]] = [
        (0...255).map { UInt8($0) }, [0xFF], [0xC3], [0xED, 0xA0, 0x80], [UInt8](repeating: 0x61, count: 9000),
        [UInt8](repeating: 0xFF, count: 3), [UInt8](repeating: 0x2F, count: 5000),
        // Lists that are cut short, or say to be longer than they are.
        [1], [0, 0, 0, 0], [0xFF, 0xFF, 0xFF, 0xFF], [1, 0, 0, 0, 0x61], [1, 0, 0, 0, 0x61, 1, 0, 0, 0, 0],
        [2, 0, 0, 0, 0x61],
    ]

    static let strings: [[UInt8]] = texts.map { Array($0.utf8) } + bytes

    private static let others: [ScriptValue] = [.nil, .bool(true), .bool(false), .json(Array("{}".utf8))]

    static let all: [ScriptValue] = {
        var all = others
        for integer in integers { all.append(.integer(integer)) }
        for float in floats { all.append(.number(float)) }
        for string in strings { all.append(.string(string)) }
        return all
    }()

    private var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func any() -> ScriptValue {
        if Int.random(in: 0..<4, using: &generator) == 0 {
            let count = Int.random(in: 0..<40, using: &generator)
            return .string((0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) })
        }
        return Self.all.randomElement(using: &generator) ?? .nil
    }

    /// Good arguments, with one to three of them spoilt, or more than there should be.
    mutating func spoil(_ good: [ScriptValue]) -> [ScriptValue] {
        var values = good
        for _ in 0..<Int.random(in: 1...3, using: &generator) {
            let index = Int.random(in: 0...values.count, using: &generator)
            if index == values.count { values.append(any()) } else { values[index] = any() }
        }
        return values
    }

    /// Bytes that are no more what they were.
    mutating func damage(_ good: [UInt8]) -> [UInt8] {
        var bytes = good
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes.remove(at: index)
            case 2: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: index)
            case 3: bytes.removeSubrange(index...)
            default: bytes.insert(contentsOf: bytes[index...], at: index)
            }
        }
        return bytes
    }
}
