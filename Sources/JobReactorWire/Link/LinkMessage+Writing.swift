package import JobReactorCore
package import NIOCore

// Each message as it goes over the link, without one being made for it.

extension LinkMessage {
    package static func writeJob(
        _ handOver: HandOver, _ request: JobRequest, isAgain: Bool = false, to buffer: inout ByteBuffer
    ) {
        let words = request.wordCount
        writeJob(handOver, request.name, request.args, words: words, isAgain: isAgain, to: &buffer)
        if words > 2 { request.writeOptions(to: &buffer) }
    }

    /// A job without options, as most are.
    package static func writePlainJob(
        _ handOver: HandOver, _ name: String, _ args: JobArguments, isAgain: Bool, to buffer: inout ByteBuffer
    ) {
        writeJob(handOver, name, args, words: 2, isAgain: isAgain, to: &buffer)
    }

    private static func writeJob(
        _ handOver: HandOver, _ name: String, _ args: JobArguments, words: Int, isAgain: Bool,
        to buffer: inout ByteBuffer
    ) {
        let capacity = name.utf8.count + args.bytes.count + RESPCursor.idWord
        // The number takes less than twice what is around a word.
        buffer.writeRESP(capacity: capacity + 6 * RESPCursor.aroundWord) { message in
            message.array(count: 3 + words)
            message.bulk(isAgain ? "AGAIN" : "JOB" as StaticString)
            message.bulk(number: handOver.number)
            message.bulk(handOver.id)
            message.bulk(name)
            message.bulk(args.bytes)
        }
    }

    package static func writeResult(_ number: Int, _ report: JobReport, to buffer: inout ByteBuffer) {
        let args = report.feedback.args.bytes
        // The words of fixed lengths take less than twice what is around them.
        let capacity = report.name.utf8.count + args.count + RESPCursor.idWord + 14 * RESPCursor.aroundWord
        buffer.writeRESP(capacity: capacity) { message in
            message.array(count: 8)
            message.bulk("RESULT" as StaticString)
            message.bulk(number: number)
            message.bulk(report.id)
            message.bulk(report.name)
            message.bulk(report.feedback.kind.rawValue)
            message.bulk(report.status.rawValue)
            message.bulk(number: Int(report.run))
            message.bulk(args)
        }
    }

    package static func writeProgress(_ progress: Progress, to buffer: inout ByteBuffer) {
        buffer.writeRESPArray(count: 5)
        buffer.writeRESPBulk("PROGRESS")
        buffer.writeRESPBulk(progress.id)
        buffer.writeRESPBulk(number: Int(progress.run))
        buffer.writeRESPBulk(progress.fraction.map { "\($0)" } ?? "")
        buffer.writeRESPBulk(progress.text)
    }

    package static func writeCancel(_ id: JobID, to buffer: inout ByteBuffer) {
        buffer.writeRESPArray(count: 2)
        buffer.writeRESPBulk("CANCEL")
        buffer.writeRESPBulk(id)
    }

    package static func writeAdopt(_ node: String?, to buffer: inout ByteBuffer) {
        buffer.writeRESPArray(count: 2)
        buffer.writeRESPBulk("ADOPT")
        buffer.writeRESPBulk(node ?? "")
    }

    package static func writeAdopted(_ node: String?, _ isDone: Bool, to buffer: inout ByteBuffer) {
        buffer.writeRESPArray(count: 3)
        buffer.writeRESPBulk("ADOPTED")
        buffer.writeRESPBulk(node ?? "")
        buffer.writeRESPBulk(number: isDone ? 1 : 0)
    }

    package static func writeShow(_ id: JobID, to buffer: inout ByteBuffer) {
        buffer.writeRESPArray(count: 2)
        buffer.writeRESPBulk("SHOW")
        buffer.writeRESPBulk(id)
    }

    package static func writeShown(_ id: JobID, _ fields: [String], to buffer: inout ByteBuffer) {
        buffer.writeRESPArray(count: 2 + fields.count)
        buffer.writeRESPBulk("SHOWN")
        buffer.writeRESPBulk(id)
        for field in fields { buffer.writeRESPBulk(field) }
    }

    package static func writeTaken(_ number: Int, to buffer: inout ByteBuffer) {
        writeCount("TAKEN", number, to: &buffer)
    }

    package static func writeCredit(_ count: Int, to buffer: inout ByteBuffer) {
        writeCount("CREDIT", count, to: &buffer)
    }

    package static func writeSaved(_ first: Int, through last: Int, to buffer: inout ByteBuffer) {
        buffer.writeRESPArray(count: 3)
        buffer.writeRESPBulk("SAVED" as StaticString)
        buffer.writeRESPBulk(number: first)
        buffer.writeRESPBulk(number: last)
    }

    package static func writeRefused(_ handOver: HandOver, _ reason: String, to buffer: inout ByteBuffer) {
        buffer.writeRESPArray(count: 4)
        buffer.writeRESPBulk("REFUSED" as StaticString)
        buffer.writeRESPBulk(number: handOver.number)
        buffer.writeRESPBulk(handOver.id)
        buffer.writeRESPBulk(reason)
    }

    package static func writeBegun(
        _ handOver: HandOver, attempt: Int32, of most: Int32, to buffer: inout ByteBuffer
    ) {
        write("BEGUN", handOver, [attempt, most], to: &buffer)
    }

    package static func writeReplace(_ handOver: HandOver, _ request: JobRequest, to buffer: inout ByteBuffer) {
        var request = request
        // The job keeps the tick that it comes of, and the message takes none.
        request.options.tick = nil
        buffer.writeRESPArray(count: 3 + request.wordCount)
        buffer.writeRESPBulk("REPLACE" as StaticString)
        buffer.writeRESPBulk(number: handOver.number)
        buffer.writeRESPBulk(handOver.id)
        buffer.writeRESPBulk(request.name)
        buffer.writeRESPBulk(request.args.bytes)
        request.writeOptions(to: &buffer)
    }

    package static func writeReplaced(_ handOver: HandOver, to buffer: inout ByteBuffer) {
        write("REPLACED", handOver, [], to: &buffer)
    }

    package static func writeKept(_ handOver: HandOver, to buffer: inout ByteBuffer) {
        write("KEPT", handOver, [], to: &buffer)
    }

    package static func writePermit(
        _ id: JobID, priority: Int, _ needs: [LimitNeed], to buffer: inout ByteBuffer
    ) {
        buffer.writeRESPArray(count: 3 + 2 * needs.count)
        buffer.writeRESPBulk("PERMIT" as StaticString)
        buffer.writeRESPBulk(id)
        buffer.writeRESPBulk(number: priority)
        write(needs, to: &buffer)
    }

    package static func writePermitted(_ id: JobID, to buffer: inout ByteBuffer) {
        write("PERMITTED", id, to: &buffer)
    }

    package static func writeDiscarded(_ id: JobID, _ reason: String, to buffer: inout ByteBuffer) {
        buffer.writeRESPArray(count: 3)
        buffer.writeRESPBulk("DISCARDED" as StaticString)
        buffer.writeRESPBulk(id)
        buffer.writeRESPBulk(reason)
    }

    package static func writeRelease(_ id: JobID, to buffer: inout ByteBuffer) { write("RELEASE", id, to: &buffer) }

    package static func writeHolds(
        _ id: JobID, secondsAgo: Double, _ needs: [LimitNeed], to buffer: inout ByteBuffer
    ) {
        buffer.writeRESPArray(count: 3 + 2 * needs.count)
        buffer.writeRESPBulk("HOLDS" as StaticString)
        buffer.writeRESPBulk(id)
        buffer.writeRESPBulk("\(secondsAgo)")
        write(needs, to: &buffer)
    }

    package static func writeBegan(_ id: JobID, to buffer: inout ByteBuffer) { write("BEGAN", id, to: &buffer) }

    package static func writeHold(isNode: Bool, jobs: [String], to buffer: inout ByteBuffer) {
        buffer.writeRESPArray(count: 2 + jobs.count)
        buffer.writeRESPBulk("HOLD" as StaticString)
        buffer.writeRESPBulk(number: isNode ? 1 : 0)
        for job in jobs { buffer.writeRESPBulk(job) }
    }

    package static func writeDefines(_ definitions: NodeDefinitions, to buffer: inout ByteBuffer) {
        buffer.writeRESPCommand(["DEFINES", definitions.json])
    }

    private static func write(_ verb: StaticString, _ id: JobID, to buffer: inout ByteBuffer) {
        buffer.writeRESPArray(count: 2)
        buffer.writeRESPBulk(verb)
        buffer.writeRESPBulk(id)
    }

    private static func write(_ needs: [LimitNeed], to buffer: inout ByteBuffer) {
        for need in needs {
            buffer.writeRESPBulk(need.limit)
            buffer.writeRESPBulk(need.key ?? "")
        }
    }

    package static func writePaused(_ handOver: HandOver, to buffer: inout ByteBuffer) {
        write("PAUSED", handOver, [], to: &buffer)
    }

    package static func writeWaits(_ handOver: HandOver, attempt: Int32, to buffer: inout ByteBuffer) {
        write("WAITS", handOver, [attempt], to: &buffer)
    }

    private static func write(
        _ verb: StaticString, _ handOver: HandOver, _ numbers: [Int32], to buffer: inout ByteBuffer
    ) {
        buffer.writeRESPArray(count: 3 + numbers.count)
        buffer.writeRESPBulk(verb)
        buffer.writeRESPBulk(number: handOver.number)
        buffer.writeRESPBulk(handOver.id)
        for number in numbers { buffer.writeRESPBulk(number: Int(number)) }
    }

    package static func writeStorageError(_ reason: String, to buffer: inout ByteBuffer) {
        buffer.writeRESPCommand(["STORAGE_ERROR", reason])
    }

    package static func writeJobs(_ names: [String], to buffer: inout ByteBuffer) {
        buffer.writeRESPArray(count: 1 + names.count)
        buffer.writeRESPBulk("JOBS")
        for name in names { buffer.writeRESPBulk(name) }
    }

    package static func writeDrain(to buffer: inout ByteBuffer) {
        buffer.writeStaticString("*1\r\n$5\r\nDRAIN\r\n")
    }

    package static func writePing(to buffer: inout ByteBuffer) {
        buffer.writeStaticString("*1\r\n$4\r\nPING\r\n")
    }

    package static func writeTakesLaterOptions(to buffer: inout ByteBuffer) {
        buffer.writeStaticString("*2\r\n$4\r\nPING\r\n$13\r\nLATER_OPTIONS\r\n")
    }

    /// One message, or several where there are more than one frame may hold; none for none.
    package static func writeReturned(_ handOvers: [HandOver], to buffer: inout ByteBuffer) {
        var rest = handOvers[...]
        while !rest.isEmpty {
            let part = rest.prefix(10_000)
            buffer.writeRESPArray(count: 1 + 2 * part.count)
            buffer.writeRESPBulk("RETURNED")
            for handOver in part {
                buffer.writeRESPBulk(number: handOver.number)
                buffer.writeRESPBulk(handOver.id)
            }
            rest = rest.dropFirst(part.count)
        }
    }

    private static func writeCount(_ verb: StaticString, _ count: Int, to buffer: inout ByteBuffer) {
        buffer.writeRESPArray(count: 2)
        buffer.writeRESPBulk(verb)
        buffer.writeRESPBulk(number: count)
    }
}
