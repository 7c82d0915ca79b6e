package import JobReactorCore
package import NIOCore

/// Words of a command, as they are sent, and how many there are.
package struct RESPWords {
    package private(set) var bytes = ByteBuffer()
    package private(set) var count = 0

    package init() {}

    /// Writes them as an array.
    package func write(to buffer: inout ByteBuffer) {
        buffer.writeRESPArray(count: count)
        buffer.writeImmutableBuffer(bytes)
    }

    package mutating func add(_ word: StaticString) {
        bytes.writeRESPBulk(word)
        count += 1
    }

    package mutating func add(_ word: String) {
        bytes.writeRESPBulk(word)
        count += 1
    }

    package mutating func add(_ word: [UInt8]) {
        bytes.writeRESPBulk(word)
        count += 1
    }

    package mutating func add(_ number: Int) {
        bytes.writeRESPBulk(number: number)
        count += 1
    }

    package mutating func add(_ id: JobID) {
        bytes.writeRESPBulk(id)
        count += 1
    }

    package mutating func add(_ words: RESPWords) {
        bytes.writeImmutableBuffer(words.bytes)
        count += words.count
    }

    package mutating func add(_ name: StaticString, _ value: String) {
        add(name)
        add(value)
    }

    package mutating func add(_ name: StaticString, _ value: [UInt8]) {
        add(name)
        add(value)
    }

    package mutating func add(_ name: StaticString, _ value: Int) {
        add(name)
        add(value)
    }

    package mutating func add(_ name: StaticString, _ id: JobID) {
        add(name)
        add(id)
    }
}
