import Testing

/// Ends a test that waits for what does not come.
struct NeverCame: Error {}

/// Asks again until the answer is yes; fails after a minute.
func eventually(
    _ what: String, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async throws -> Bool
) async throws {
    for _ in 0..<6000 {
        if try await condition() { return }
        try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("never came: \(what)", sourceLocation: sourceLocation)
    throw NeverCame()
}
