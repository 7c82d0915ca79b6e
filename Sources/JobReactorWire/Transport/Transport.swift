internal import NIOCore
private import NIOPosix

/// What listeners and dialers have in common.
package enum Transport {
    /// Large reads under load, small ones for quiet connections.
    static let receiveAllocator = AdaptiveRecvByteBufferAllocator(minimum: 1024, initial: 16 << 10, maximum: 256 << 10)

    /// An I/O error in a few words, without the name of a type.
    package static func describe(_ error: any Error) -> String {
        switch error {
        case let error as IOError: "\(error.description)"
        case let error as ChannelError:
            switch error {
            case .connectTimeout: "no answer in time"
            default: "\(error)"
            }
        case let error as NIOConnectionError:
            if let failure = error.connectionErrors.first {
                describe(failure.error)
            } else {
                "no such host"
            }
        default: "\(error)"
        }
    }
}
