package import NIOCore

extension [EventLoopFuture<Bool>] {
    /// Adds up how many of them are true. Done when all have come; fails then, where one has failed.
    package func counted(in count: NIOLoopBoundBox<Int>, on loop: any EventLoop) -> EventLoopFuture<Void> {
        let failure = NIOLoopBoundBox<(any Error)?>(nil, eventLoop: loop)
        for answer in self {
            answer.assumeIsolated().whenComplete { result in
                switch result {
                case .success(let isTrue): if isTrue { count.value += 1 }
                case .failure(let error): failure.value = failure.value ?? error
                }
            }
        }
        return EventLoopFuture.andAllComplete(self, on: loop).flatMapThrowing {
            if let error = failure.value { throw error }
        }
    }
}
