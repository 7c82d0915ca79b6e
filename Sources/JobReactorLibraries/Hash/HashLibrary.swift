internal import Crypto
public import JobReactorLua

/// The library `hash`: digests, message authentication codes, encodings, and secure random bytes.
///
/// All functions run on the lane's thread: hashing takes about a second for each gigabyte.
public struct HashLibrary: ScriptLibrary {
    /// Bytes that `hash.random` gives at once, at most: 1 MiB.
    static let randomLimit = 1 << 20

    public let name = "hash"
    public var source: String { EmbeddedSource.hash }

    public init() {}

    public var functions: [ScriptFunction] {
        [
            Self.digest("sha256", SHA256.self), Self.digest("sha512", SHA512.self),
            Self.digest("sha1", Insecure.SHA1.self), Self.digest("md5", Insecure.MD5.self),
            Self.function("hmac_sha256") { arguments throws(ScriptFailure) in
                let key = SymmetricKey(data: try arguments.bytes(0))
                let code = HMAC<SHA256>.authenticationCode(for: try arguments.bytes(1), using: key)
                return .string(Hexadecimal.encode(code))
            },
            Self.text("hex") { Hexadecimal.encode($0) },
            Self.text("unhex") { text throws(ScriptFailure) in try Hexadecimal.decode(text) },
            Self.text("base64") { Base64.standard.encode($0) },
            Self.text("unbase64") { text throws(ScriptFailure) in try Base64.standard.decode(text) },
            Self.text("base64url") { Base64.url.encode($0) },
            Self.text("unbase64url") { text throws(ScriptFailure) in try Base64.url.decode(text) },
            Self.function("equal") { arguments throws(ScriptFailure) in
                .bool(Self.isEqual(try arguments.bytes(0), try arguments.bytes(1)))
            },
            Self.function("random") { arguments throws(ScriptFailure) in .string(try Self.random(arguments.int(0))) },
        ]
    }

    private static func digest<Function: HashFunction>(_ name: String, _: Function.Type) -> ScriptFunction {
        text(name) { Hexadecimal.encode(Function.hash(data: $0)) }
    }

    /// From a string to a string.
    private static func text(
        _ name: String, _ body: @escaping @Sendable ([UInt8]) throws(ScriptFailure) -> [UInt8]
    ) -> ScriptFunction {
        function(name) { arguments throws(ScriptFailure) in .string(try body(arguments.bytes(0))) }
    }

    private static func function(
        _ name: String, _ body: @escaping @Sendable (ScriptArguments) throws(ScriptFailure) -> ScriptValue
    ) -> ScriptFunction {
        .immediate(name) { _, values throws(ScriptFailure) in [try body(ScriptArguments(values, of: "hash.\(name)"))] }
    }

    /// Takes as long whatever the bytes are; their number is no secret.
    private static func isEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        guard one.count == other.count else { return false }
        var difference: UInt8 = 0
        for index in one.indices { difference |= one[index] ^ other[index] }
        return difference == 0
    }

    private static func random(_ count: Int) throws(ScriptFailure) -> [UInt8] {
        guard (0...randomLimit).contains(count) else {
            throw ScriptFailure("hash.random returns 0 to \(randomLimit) bytes at once, not \(count)")
        }
        var generator = SystemRandomNumberGenerator()
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 8)
        while bytes.count < count {
            withUnsafeBytes(of: generator.next()) { bytes.append(contentsOf: $0) }
        }
        return Array(bytes.prefix(count))
    }
}
