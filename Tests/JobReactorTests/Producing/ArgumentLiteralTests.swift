import Foundation
import JobReactor
import Testing

/// Args as users write them: with what they have at hand.
@Suite("Args written as literals") struct ArgumentLiteralTests {
    private let producer = RecordingProducer()
    private let path = "cat.png"
    private let width = 200
    private let scale = 0.5
    private let isGray = true

    private enum Fit: String, Codable {
        case cover
    }

    private struct Size: Codable {
        var width: Int
        var height: Int?
    }

    @Test("may have variables of several types")
    func variables() async throws {
        let (owner, nobody): (String?, String?) = ("Ada", nil)
        let tags = ["a", "b"]
        try producer.enqueue("j", ["path": path, "width": width, "scale": scale, "gray": isGray])
        try producer.enqueue("j", ["owner": owner, "width": width, "nobody": nobody, "nothing": nil])
        try producer.enqueue("j", ["tags": tags, "sizes": ["s": 1, "m": 2], "none": [String](), "first": tags.first])
        try producer.enqueue("j", ["fit": Fit.cover, "size": Size(width: 1), "url": URL(string: "https://a.b/c")])
        try producer.enqueue("j", ["id": UUID(uuidString: "0B7C1C62-53A4-4C6C-9D32-2F4B0A7F1D55"), "n": width + 1])
        try producer.enqueue("j", ["text": "\(path) of \(width)", "n": UInt8(7), "path": path.uppercased()])
        #expect(
            producer.args == [
                ["path": "cat.png", "width": 200, "scale": 0.5, "gray": true],
                ["owner": "Ada", "width": 200, "nobody": nil, "nothing": nil],
                ["tags": ["a", "b"], "sizes": ["s": 1, "m": 2], "none": [], "first": "a"],
                ["fit": "cover", "size": ["width": 1], "url": "https://a.b/c"],
                ["id": "0B7C1C62-53A4-4C6C-9D32-2F4B0A7F1D55", "n": 201],
                ["text": "cat.png of 200", "n": 7, "path": "CAT.PNG"],
            ])
    }

    @Test("may have variables of one type alone")
    func oneType() throws {
        let names = ["a": "x", "b": "y"]
        try producer.enqueue("j", ["path": path])
        try producer.enqueue("j", ["width": width, "height": width])
        try producer.enqueue("j", ["path": path, "owner": nil])
        try producer.enqueue("j", names)
        #expect(
            producer.args == [
                ["path": "cat.png"], ["width": 200, "height": 200], ["path": "cat.png", "owner": nil],
                ["a": "x", "b": "y"],
            ])
    }

    @Test("are what they were without variables")
    func literals() throws {
        let value: JSONValue = [1, "two"]
        let args: JobArguments = ["b": 1, "a": 2]
        try producer.enqueue("j")
        try producer.enqueue("j", [:])
        try producer.enqueue(
            "j", ["a": 1, "b": 1.5, "c": "x", "d": true, "e": nil, "f": [1, "x", nil], "g": [:], "h": []])
        try producer.enqueue("j", ["x": .string(path), "n": JSONValue(width), "list": [.integer(1)], "value": value])
        try producer.enqueue("j", args)
        try producer.enqueue("j", ["nested": ["a": 1, "b": "x", "c": [true, nil]]])
        #expect(
            producer.args == [
                [:], [:],
                ["a": 1, "b": 1.5, "c": "x", "d": true, "e": nil, "f": [1, "x", nil], "g": [:], "h": []],
                ["x": "cat.png", "n": 200, "list": [1], "value": [1, "two"]], ["b": 1, "a": 2],
                ["nested": ["a": 1, "b": "x", "c": [true, nil]]],
            ])
    }

    @Test("hold others that say what they are")
    func nested() throws {
        let earlier: JobArguments = ["a": 1]
        try producer.enqueue("j", ["path": path, "size": ["width": width, "unit": path] as JobValues])
        try producer.enqueue(
            "j", ["path": path, "mixed": [1, "x"] as JSONValue, "value": JSONValue.null, "args": earlier])
        #expect(
            producer.args == [
                ["path": "cat.png", "size": ["width": 200, "unit": "cat.png"]],
                ["path": "cat.png", "mixed": [1, "x"], "value": nil, "args": ["a": 1]],
            ])
    }

    @Test("go with all that enqueue and perform take")
    func everywhere() async throws {
        let options = JobOptions(after: 1)
        let results = Collector<JSONValue>()
        try producer.enqueue("j", ["path": path, "width": width], options) {
            results.append($0.args.value)
        } onError: { _ in
        }
        try producer.enqueue("j", ["path": path, "width": width], onSuccess: { results.append($0.args.value) })
        let result = try await producer.perform("j", ["path": path, "width": width], options, timeout: 20)
        let size = try await producer.perform("j", ["width": width, "height": nil, "path": path], returning: Size.self)
        #expect(
            results.elements + [result.args.value] == Array(repeating: ["path": "cat.png", "width": 200], count: 3))
        #expect(size.width == 200 && size.height == nil)
        #expect(producer.options == [options, JobOptions(), options, JobOptions()])
    }

    @Test("each perform tells how far the job is")
    func progress() async throws {
        let steps = Collector<Double?>()
        let note: @Sendable (JobProgress) -> Void = { steps.append($0.fraction) }
        let size = Size(width: 3)
        _ = try await producer.perform("j", onProgress: note)
        _ = try await producer.perform("j", ["width": 1], timeout: 20, onProgress: note)
        _ = try await producer.perform("j", ["width": width, "path": path]) { note($0) }
        _ = try await producer.perform("j", size, onProgress: note)
        _ = try await producer.perform("j", ["width": 1], returning: Size.self) { note($0) }
        _ = try await producer.perform("j", ["width": width, "path": path], returning: Size.self, onProgress: note)
        _ = try await producer.perform("j", size, timeout: 20, returning: Size.self, onProgress: note)
        #expect(steps.elements == Array(repeating: 0.5, count: 7))
    }

    @Test("have the last value of a key that is there twice")
    func twice() throws {
        try producer.enqueue("j", ["a": path, "a": width])
        #expect(producer.args == [["a": 200]])
    }

    @Test("any JSON may be a member of a type of the application")
    func members() throws {
        struct Note: Codable, Equatable {
            var title: String
            var extra: JSONValue
        }
        let extra: JSONValue = ["a": [1, 1.5, true, nil, "x", [:]], "most": .integer(.max), "least": .integer(.min)]
        let note = Note(title: "t", extra: extra)
        let args = try JobArguments(encoding: note)
        #expect(args.value == ["title": "t", "extra": extra])
        #expect(try args.decode(Note.self) == note)
    }
}
