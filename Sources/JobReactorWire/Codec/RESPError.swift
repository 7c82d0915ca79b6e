/// The reason why a peer's bytes could not be parsed. The connection must be closed.
package enum RESPError: Error, Hashable, Sendable, CustomStringConvertible {
    case frameTooLarge(limit: Int)
    case tooManyElements(limit: Int)
    case inlineTooLong(limit: Int)
    case unbalancedQuotes
    /// The bytes are not RESP, or are nested too deep; the reader gives the reason.
    case malformed(String)

    package var description: String {
        switch self {
        case .frameTooLarge(let limit): "a command is larger than the frame limit of \(limit) bytes"
        case .tooManyElements(let limit): "a command has more than the element limit of \(limit)"
        case .inlineTooLong(let limit): "an inline command is longer than the limit of \(limit) bytes"
        case .unbalancedQuotes: "unbalanced quotes in an inline command"
        case .malformed(let reason): reason
        }
    }
}
