import JobReactorCore
import JobReactorLua
import Logging

/// Stands in for the lane: calls one function of a library, as the job of a script would.
struct Caller {
    let library: any ScriptLibrary
    var isSandboxed = false

    /// The values, or the error. Throws `ScriptFailure`.
    func call(_ name: String, _ values: ScriptValue...) async throws -> [ScriptValue] {
        try await call(name, values)
    }

    func call(_ name: String, _ values: [ScriptValue]) async throws -> [ScriptValue] {
        switch try body(name) {
        case .immediate(let body): return try body(scriptCall, values)
        case .suspending(let body):
            return try await withCheckedThrowingContinuation { continuation in
                do throws(ScriptFailure) {
                    _ = try body(scriptCall, values) { continuation.resume(with: $0.mapError { $0 as any Error }) }
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }

    /// Calls one that suspends and goes on: the result, when it comes, and what cancels it.
    func start(_ name: String, _ values: [ScriptValue]) throws -> (
        result: Task<[ScriptValue], any Error>, cancel: () -> Void
    ) {
        guard case .suspending(let body) = try body(name) else { throw ScriptFailure("\(name) does not suspend") }
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: [ScriptValue].self)
        let cancel = try body(scriptCall, values) { result in
            if case .success(let values) = result { continuation.yield(values) }
            if case .failure(let error) = result { continuation.finish(throwing: error) } else { continuation.finish() }
        }
        let result = Task {
            for try await values in stream { return values }
            throw ScriptFailure("no result")
        }
        return (result, { cancel?() })
    }

    private var scriptCall: ScriptCall {
        ScriptCall(job: nil, isSandboxed: isSandboxed, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    private func body(_ name: String) throws -> ScriptFunction.Body {
        guard let function = library.functions.first(where: { $0.name == name }) else {
            throw ScriptFailure("\(library.name) has no function \(name)")
        }
        return function.body
    }
}

/// The message of the failure that `body` ends with, or that it does not fail.
func failure(_ body: () async throws -> [ScriptValue]) async -> String {
    do {
        return "no failure but \(try await body())"
    } catch {
        return "\(error)"
    }
}

/// Waits until something is so; the time limit of the suite is the deadline.
func eventually(_ isSo: () async -> Bool) async {
    while await !isSo() {
        guard (try? await Task.sleep(for: .milliseconds(5))) != nil else { return }
    }
}
