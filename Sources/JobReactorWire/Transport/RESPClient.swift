private import Logging
package import NIOCore
internal import NIOPosix

/// A connection that sends one command at a time and reads its reply, for tools and tests. Safe to use from any task.
package final class RESPClient: Sendable {
    private let channel: any Channel
    private let conversation: NIOLoopBound<Conversation>

    private init(channel: any Channel, conversation: NIOLoopBound<Conversation>) {
        self.channel = channel
        self.conversation = conversation
    }

    /// Connects and sends the password, if there is one. Throws ``WireError``.
    package static func connect(
        to address: Address, security: WireSecurity = WireSecurity(), limits: RESPLimits = RESPLimits(),
        on group: (any EventLoopGroup)? = nil
    ) async throws -> RESPClient {
        try address.validate()
        let loop = (group ?? MultiThreadedEventLoopGroup.singleton).next()
        let client: RESPClient
        do {
            client = try await loop.flatSubmit {
                let conversation = NIOLoopBound(Conversation(), eventLoop: loop)
                return Dialer.connect(to: address, on: loop, tls: security.tls) {
                    let connection = Connection(role: .client, limits: limits, session: conversation.value)
                    conversation.value.connection = connection
                    return connection
                }.map { RESPClient(channel: $0, conversation: conversation) }
            }.get()
        } catch {
            throw WireError.unreachable(address, error)
        }
        guard let login = security.login else { return client }
        let answer = try await client.send(login)
        guard case .error(let reason) = answer else { return client }
        await client.close()
        throw WireError(.connect, "\(address) refuses the password: \(reason)")
    }

    /// Sends a command and returns its reply, which may be an error. Throws ``WireError`` if the connection is lost.
    package func send(_ words: [String]) async throws -> RESPValue {
        let conversation = conversation
        return try await channel.eventLoop.flatSubmit { conversation.value.send(words) }.get()
    }

    package func close() async {
        try? await channel.close().get()
    }

    /// Sends one command over a separate connection, for callers on the loop. Fails with ``WireError``.
    package static func ask(
        _ words: [String], at address: Address, security: WireSecurity, on loop: any EventLoop
    ) -> EventLoopFuture<RESPValue> {
        do { try address.validate() } catch { return loop.makeFailedFuture(error) }
        let conversation = NIOLoopBound(Conversation(), eventLoop: loop)
        return Dialer.connect(to: address, on: loop, tls: security.tls) {
            let connection = Connection(role: .client, limits: RESPLimits(), session: conversation.value)
            conversation.value.connection = connection
            return connection
        }.flatMapErrorThrowing { error in
            throw WireError.unreachable(address, error)
        }.flatMap { channel in
            let talk = conversation.value
            let login = security.login.map { talk.send($0) }
            let answer = talk.send(words)
            return (login ?? loop.makeSucceededFuture(.simple("OK"))).flatMap { reply in
                guard case .error(let reason) = reply else { return answer }
                return answer.flatMapThrowing { _ in
                    throw WireError(.connect, "\(address) refuses the password: \(reason)")
                }
            }.always { _ in channel.close(promise: nil) }
        }
    }

    private final class Conversation: ConnectionSession {
        weak var connection: Connection?
        private var waiting: [EventLoopPromise<RESPValue>] = []

        func send(_ words: [String]) -> EventLoopFuture<RESPValue> {
            guard let connection, connection.isOpen, let loop = connection.eventLoop else {
                return MultiThreadedEventLoopGroup.singleton.next().makeFailedFuture(Self.lost(nil))
            }
            let promise = loop.makePromise(of: RESPValue.self)
            waiting.append(promise)
            connection.write { $0.writeRESPCommand(words) }
            return promise.futureResult
        }

        func received(_ frame: RESPFrame, on connection: Connection) {
            if !waiting.isEmpty { waiting.removeFirst().succeed(RESPValue(frame)) }
        }

        func readCompleted(on connection: Connection) {}

        func disconnected(_ connection: Connection, reason: String?) {
            for promise in waiting { promise.fail(Self.lost(reason)) }
            waiting = []
        }

        private static func lost(_ reason: String?) -> WireError {
            WireError(.connect, "the connection was lost before the reply arrived" + (reason.map { ": \($0)" } ?? ""))
        }
    }
}

extension WireError {
    /// The reason of the failure, without advice.
    package var reason: String { cause.map { Transport.describe($0) } ?? description }

    /// The other side is not there.
    package static func unreachable(_ address: Address, _ error: any Error) -> WireError {
        WireError(
            .connect,
            "cannot connect to \(address): \(Transport.describe(error)):"
                + " start a distributor there (jobreactor distributor), or give another address", cause: error)
    }
}
