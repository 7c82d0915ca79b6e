internal import JobReactorLua

/// Commands that must not go over a connection that all jobs share, with the reason.
enum RefusedCommand {
    /// Throws when the command is one.
    static func check(_ words: [[UInt8]]) throws(ScriptFailure) {
        guard let first = words.first else { return }
        let name = upperCase(first)
        let reason: String
        if blocking.contains(name) || (reading.contains(name) && words.contains { upperCase($0) == "BLOCK" }) {
            reason = "it would block every other job on this connection: ask without blocking, and sleep in between"
        } else if subscribing.contains(name) {
            reason = "it would turn the shared connection into a stream of messages"
        } else if transactional.contains(name) {
            reason = "commands of other jobs would come between: write an EVAL script, which runs as one"
        } else if stateful.contains(name) {
            reason = "it would change the connection of every other job: say it in the URL of redis.connect"
        } else if name == "CLIENT", words.count > 1, clientState.contains(upperCase(words[1])) {
            reason = "it would change the connection of every other job"
        } else {
            return
        }
        throw ScriptFailure("redis: \(name) cannot be called from a job: \(reason)")
    }

    private static let blocking: Set = [
        "BLPOP", "BRPOP", "BRPOPLPUSH", "BLMOVE", "BLMPOP", "BZPOPMIN", "BZPOPMAX", "BZMPOP", "WAIT", "WAITAOF",
    ]
    /// Those that block when they say so.
    private static let reading: Set = ["XREAD", "XREADGROUP"]
    private static let subscribing: Set = [
        "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE", "MONITOR", "SYNC",
        "PSYNC",
    ]
    private static let transactional: Set = ["MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH"]
    private static let stateful: Set = ["SELECT", "AUTH", "HELLO", "RESET", "QUIT", "READONLY", "READWRITE", "ASKING"]
    private static let clientState: Set = ["REPLY", "TRACKING", "CACHING"]

    private static func upperCase(_ word: [UInt8]) -> String { String(decoding: word, as: UTF8.self).uppercased() }
}
