private import Crypto
private import Foundation

/// Proves that a text is one that this process has made. The key is made anew with each process.
struct SealingKey: Sendable {
    private let key = SymmetricKey(size: .bits256)

    /// What the text is for stands before it, so that a proof for one thing is none for another.
    func proof(_ purpose: StaticString, _ text: String) -> String {
        Self.coded(HMAC<SHA256>.authenticationCode(for: Data("\(purpose) \(text)".utf8), using: key))
    }

    /// Takes the same time for every proof of that length.
    func isProof(_ proof: String, _ purpose: StaticString, _ text: String) -> Bool {
        let (given, right) = (Array(proof.utf8), Array(self.proof(purpose, text).utf8))
        return given.count == right.count && zip(given, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// The text with its proof, in letters that a cookie and a URL take.
    func sealed(_ purpose: StaticString, _ text: String) -> String {
        Self.coded(Data(text.utf8)) + "." + proof(purpose, text)
    }

    /// The text that was sealed so; nil for anything else.
    func opened(_ purpose: StaticString, _ sealed: String) -> String? {
        guard sealed.utf8.count <= 4096 else { return nil }
        let parts = sealed.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let data = Self.read(parts[0]) else { return nil }
        let text = String(decoding: data, as: UTF8.self)
        return isProof(String(parts[1]), purpose, text) ? text : nil
    }

    static func random() -> String {
        SymmetricKey(size: .bits128).withUnsafeBytes { coded(Data($0)) }
    }

    private static func coded(_ bytes: some Sequence<UInt8>) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    private static func read(_ text: Substring) -> Data? {
        let plain = text.replacing("-", with: "+").replacing("_", with: "/")
        return Data(base64Encoded: plain + String(repeating: "=", count: (4 - plain.utf8.count % 4) % 4))
    }
}
