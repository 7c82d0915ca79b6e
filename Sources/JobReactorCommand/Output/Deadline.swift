/// Does `body`, unless it takes longer than `seconds`: then `failure` is thrown and `body` is cancelled and left alone.
func withDeadline<Value: Sendable>(
    _ seconds: Double, else failure: CommandFailure, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    let (outcomes, outcome) = AsyncThrowingStream.makeStream(of: Value.self)
    let work = Task {
        do {
            outcome.yield(try await body())
            outcome.finish()
        } catch { outcome.finish(throwing: error) }
    }
    let timer = Task {
        try await Task.sleep(for: .seconds(seconds))
        outcome.finish(throwing: failure)
    }
    defer {
        work.cancel()
        timer.cancel()
    }
    for try await value in outcomes { return value }
    throw failure
}
