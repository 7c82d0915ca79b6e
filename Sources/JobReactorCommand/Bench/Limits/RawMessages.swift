internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// What raw clients send.
enum RawMessages {
    private static let id = "0192f3a47b5c7d8e9f00112233445566"

    /// A job as a distributor sends it. With `isDirect` the echo answers on the thread that reads.
    static func job(_ args: JobArguments, isDirect: Bool = false) -> ByteBuffer {
        command([isDirect ? "DIRECT" : "JOB", id, "bench", args.description])
    }

    /// A job as a client of the distributor enqueues it. No script defines it.
    static func enqueue(_ args: JobArguments) -> ByteBuffer { command(["ENQUEUE", "bench", args.description]) }

    /// What a job is to a Redis server that keeps it until it is done, and its outcome until that has arrived, each as one
    /// value: four commands. With `isKept` it stays: one command.
    static func redis(_ args: JobArguments, isKept: Bool) -> (bytes: ByteBuffer, commands: Int) {
        let record = [id, "bench", args.description, "queued", "0", "0", "1764028800000000", "localhost:5000"]
            .joined(separator: " ")
        if isKept { return (command(["RPUSH", "bench", record]), 1) }
        let report = [id, "bench", "success", "complete", "1", args.description].joined(separator: " ")
        let commands = [
            ["SET", "job", record], ["DEL", "job"], ["SET", "report", report], ["DEL", "report"],
        ]
        var bytes = ByteBuffer()
        for words in commands { bytes.writeRESPCommand(words) }
        return (bytes, commands.count)
    }

    private static func command(_ words: [String]) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writeRESPCommand(words)
        return bytes
    }
}
