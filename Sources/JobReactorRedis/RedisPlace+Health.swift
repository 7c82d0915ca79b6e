package import JobReactorCore
internal import JobReactorWire

/// What a Redis server says of itself.
package struct RedisHealth: Hashable, Sendable {
    /// Of `INFO`, by the names that it has there; empty where the user may not call it.
    package var info: [String: String]
    /// Of `CONFIG GET`: those that the server and the user's rights let us see.
    package var settings: [String: String]
    package var clock: ClockReading?

    package init(info: [String: String], settings: [String: String] = [:], clock: ClockReading? = nil) {
        self.info = info
        self.settings = settings
        self.clock = clock
    }
}

extension RedisPlace {
    /// Asks the server, over a connection of its own.
    package func health() async throws(StorageError) -> RedisHealth {
        try await connected { client throws(StorageError) in
            var text: String?
            do throws(StorageError) { text = try await client.call(["INFO"]).text } catch {
                // A storage does without.
                guard error.code == .unusable, error.message.contains("NOPERM") else { throw error }
            }
            let lines = (text ?? "").split(whereSeparator: \.isNewline)
            var info: [String: String] = [:]
            for line in lines {
                guard let colon = line.firstIndex(of: ":") else { continue }
                info[String(line[..<colon])] = String(line[line.index(after: colon)...])
            }
            var settings: [String: String] = [:]
            for name in ["appendfsync", "save"] {
                // Hosted servers, and the rights of users, may keep them from us.
                let reply = try? await client.call(["CONFIG", "GET", name])
                if let words = reply?.elements, words.count == 2 { settings[name] = words[1].text }
            }
            let asked = Timestamp.now
            let reply = try? await client.call(["TIME"])
            let parts = (reply?.elements ?? []).compactMap { $0.text.flatMap { Int64($0) } }
            // A year that no clock has, times a million, would be more than there is room for.
            guard parts.count == 2, (0...1_000_000_000_000).contains(parts[0]), (0..<1_000_000).contains(parts[1])
            else {
                return RedisHealth(info: info, settings: settings)
            }
            let theirs = Timestamp(microseconds: parts[0] * 1_000_000 + parts[1])
            return RedisHealth(
                info: info, settings: settings, clock: ClockReading(asked: asked, theirs: theirs, answered: .now))
        }
    }
}
