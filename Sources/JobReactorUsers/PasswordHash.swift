private import Crypto
private import CryptoExtras
private import Foundation

/// What a users file keeps of a password: a scrypt hash, written `$scrypt$ln=15,r=8,p=1$salt$key`, as other programs write it.
struct PasswordHash: Hashable, Sendable, LosslessStringConvertible {
    /// The binary logarithm of how often a block is mixed; memory is `128 · r · 2^ln` bytes.
    private let rounds: Int
    private let blockSize: Int
    private let parallelism: Int
    private let salt: [UInt8]
    private let key: [UInt8]

    /// 32 MiB, and about a tenth of a second.
    static let usualRounds = 15
    /// What a line may ask for: a gigabyte would be a mistake.
    private static let allowedRounds = 1...20
    private static let mostMemory = 256 << 20

    /// Of a new password, with a salt of its own. Takes its time.
    init?(of password: [UInt8], rounds: Int = usualRounds) {
        var random = SystemRandomNumberGenerator()
        let salt = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        guard let key = Self.key(of: password, salt, rounds, 8, 1, bytes: 32) else { return nil }
        (self.rounds, blockSize, parallelism, self.salt, self.key) = (rounds, 8, 1, salt, key)
    }

    init?(_ description: String) {
        let parts = description.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt" else { return nil }
        var numbers: [Substring: Int] = [:]
        for part in parts[2].split(separator: ",") {
            let sides = part.split(separator: "=", maxSplits: 1)
            guard sides.count == 2, let number = Int(sides[1]), numbers[sides[0]] == nil else { return nil }
            numbers[sides[0]] = number
        }
        guard numbers.count == 3, let rounds = numbers["ln"], let blockSize = numbers["r"],
            let parallelism = numbers["p"], Self.allowedRounds.contains(rounds), (1...64).contains(blockSize),
            (1...16).contains(parallelism), 128 * blockSize << rounds <= Self.mostMemory,
            let salt = Self.bytes(parts[3]), let key = Self.bytes(parts[4]), salt.count >= 8,
            (16...64).contains(key.count)
        else { return nil }
        (self.rounds, self.blockSize, self.parallelism, self.salt, self.key) = (
            rounds, blockSize, parallelism, salt, key
        )
    }

    var description: String {
        "$scrypt$ln=\(rounds),r=\(blockSize),p=\(parallelism)$\(Self.text(salt))$\(Self.text(key))"
    }

    /// Takes its time.
    func matches(_ password: [UInt8]) -> Bool {
        guard let other = Self.key(of: password, salt, rounds, blockSize, parallelism, bytes: key.count) else {
            return false
        }
        return zip(key, other).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private static func key(
        of password: [UInt8], _ salt: [UInt8], _ rounds: Int, _ blockSize: Int, _ parallelism: Int, bytes: Int
    ) -> [UInt8]? {
        // It would fill up with zeros what is short: with one at its end a password would be the same as without.
        guard password.last != 0 else { return nil }
        let key = try? KDF.Scrypt.deriveKey(
            from: password, salt: salt, outputByteCount: bytes, rounds: 1 << rounds, blockSize: blockSize,
            parallelism: parallelism)
        return key.map { $0.withUnsafeBytes { Array($0) } }
    }

    private static func text(_ bytes: [UInt8]) -> String {
        String(Data(bytes).base64EncodedString().prefix { $0 != "=" })
    }

    private static func bytes(_ text: Substring) -> [UInt8]? {
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        return Data(base64Encoded: text + padding).map { Array($0) }
    }
}
