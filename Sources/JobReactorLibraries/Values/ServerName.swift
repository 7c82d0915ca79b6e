internal import JobReactorWire

/// A host, and perhaps a port, as URLs and rules have them, looked at before any library sees them: what makes connections ends
/// the process on a port that is none, and reads a host no further than to its first zero byte.
struct ServerName: Hashable, Sendable {
    enum Problem: Error {
        case host, port

        /// Completes a sentence.
        var reason: String {
            switch self {
            case .host:
                "a host is an IP address, one of IPv6 in brackets, or a name of letters, digits, '-', '.' and '_' (write any other"
                    + " name as the DNS has it, xn--…)"
            case .port: "a port is a number from 1 to 65535"
            }
        }
    }

    /// In lower case, without brackets.
    let host: String
    /// From 1 to 65535, where one is said.
    let port: Int?

    init(_ text: some Collection<UInt8>) throws(Problem) {
        let bytes = Array(text)
        let name: ArraySlice<UInt8>
        var rest: ArraySlice<UInt8>
        if bytes.first == UInt8(ascii: "[") {
            guard let end = bytes.firstIndex(of: UInt8(ascii: "]")) else { throw .host }
            name = bytes[1..<end]
            rest = bytes[(end + 1)...]
            guard name.contains(UInt8(ascii: ":")), name.allSatisfy(Self.isOfIPv6), IPAddress(Self.text(name)) != nil
            else { throw .host }
        } else {
            name = bytes.prefix { $0 != UInt8(ascii: ":") }
            rest = bytes[name.endIndex...]
            guard (1...253).contains(name.count), name.allSatisfy(Self.isOfName) else { throw .host }
        }
        host = Self.text(name).lowercased()
        guard let colon = rest.popFirst() else {
            port = nil
            return
        }
        guard colon == UInt8(ascii: ":") else { throw .host }
        // As URLs may have it: a colon, and the port that is the usual one.
        guard !rest.isEmpty else {
            port = nil
            return
        }
        guard rest.allSatisfy(Self.isDigit), let number = Int(Self.text(rest)), (1...65535).contains(number) else {
            throw .port
        }
        port = number
    }

    /// The host as URLs have it.
    var urlHost: String { host.contains(":") ? "[\(host)]" : host }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        default: isDigit(byte) || "-._".utf8.contains(byte)
        }
    }

    private static func isOfIPv6(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"): true
        default: isDigit(byte) || ":.".utf8.contains(byte)
        }
    }
}
