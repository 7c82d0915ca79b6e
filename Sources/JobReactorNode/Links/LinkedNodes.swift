internal import JobReactorWire
internal import NIOCore

/// The nodes that distributors are linked to, asked of them: who is linked lives, whatever his lease in the storage says.
enum LinkedNodes {
    /// Seconds that a distributor has for its answer. One that does not answer knows of nobody.
    private static let patience: Int64 = 5

    static func names(
        at distributors: Set<Address>, security: WireSecurity, on loop: any EventLoop
    ) -> EventLoopFuture<Set<String>> {
        let answers = distributors.map { names(at: $0, security: security, on: loop) }
        return EventLoopFuture.whenAllSucceed(answers, on: loop).map { $0.reduce(into: []) { $0.formUnion($1) } }
    }

    private static func names(
        at distributor: Address, security: WireSecurity, on loop: any EventLoop
    ) -> EventLoopFuture<Set<String>> {
        let asked = loop.makeFutureWithTask {
            let client = try await RESPClient.connect(to: distributor, security: security, on: loop)
            let reply = try? await client.send(["NODES"])
            await client.close()
            return reply
        }
        let promise = loop.makePromise(of: Set<String>.self)
        let bound = NIOLoopBound(Answer(promise: promise), eventLoop: loop)
        let deadline = loop.scheduleTask(in: .seconds(patience)) { bound.value.give([]) }
        asked.whenComplete { result in
            deadline.cancel()
            let rows = (try? result.get())?.elements ?? []
            bound.value.give(Set(rows.compactMap(name)))
        }
        return promise.futureResult
    }

    private static func name(_ row: RESPValue) -> String? {
        let texts = (row.elements ?? []).map(\.text)
        guard let key = texts.firstIndex(of: "name"), texts.indices.contains(key + 1) else { return nil }
        return texts[key + 1]
    }

    /// The first counts.
    private final class Answer {
        private var promise: EventLoopPromise<Set<String>>?

        init(promise: EventLoopPromise<Set<String>>) { self.promise = promise }

        func give(_ names: Set<String>) {
            promise?.succeed(names)
            promise = nil
        }
    }
}
