import Foundation
import JobReactor

/// Calls as users write them, with what they have at hand. The job `echo` gives back what it gets.
struct Variations {
    let producer: any JobProducer
    let checks: Checks

    let path = "cat.png"
    let width = 200
    let isGray = true

    enum Fit: String, Codable {
        case cover, contain
    }

    struct Size: Codable, Equatable {
        var width: Int
        var height: Int?
    }

    struct Picture: Codable, Equatable {
        var path: String
        var size: Size
        var takenAt: Date
        var tags: [String] = []
        var fit = Fit.cover
    }

    var takenAt: Date { Date(timeIntervalSince1970: 1_767_225_600.5) }

    private func echo(_ args: JobArguments) async throws -> JSONValue {
        try await producer.perform("echo", args, timeout: .seconds(60)).args.value
    }

    /// Values of all kinds in a literal.
    func values() async throws {
        let scale = 0.5
        let owner: String? = "Ada"
        let nobody: String? = nil
        let tags = ["a", "b"]
        let sizes = ["small": 100, "large": 800]
        var result = try await producer.perform("echo", ["path": path])
        try await checks.expect(result.args.value, ["path": "cat.png"])
        result = try await producer.perform("echo", ["path": path, "width": width])
        try await checks.expect(result.args.value, ["path": "cat.png", "width": 200])
        result = try await producer.perform("echo", ["scale": scale, "gray": isGray, "width": width], timeout: 60)
        try await checks.expect(result.args.value, ["scale": 0.5, "gray": true, "width": 200])
        result = try await producer.perform("echo", ["owner": owner, "nobody": nobody, "width": width])
        try await checks.expect(result.args.value, ["owner": "Ada", "nobody": nil, "width": 200])
        result = try await producer.perform("echo", ["path": path, "width": width, "height": nil])
        try await checks.expect(result.args.value, ["path": "cat.png", "width": 200, "height": nil])
        result = try await producer.perform("echo", ["tags": tags, "sizes": sizes, "none": [Int](), "width": width])
        try await checks.expect(
            result.args.value,
            ["tags": ["a", "b"], "sizes": ["small": 100, "large": 800], "none": [], "width": 200])
        result = try await producer.perform("echo", ["first": tags.first, "count": tags.count, "last": tags[1]])
        try await checks.expect(result.args.value, ["first": "a", "count": 2, "last": "b"])
        result = try await producer.perform("echo", ["title": "\(path) at \(width)", "path": "/tmp/\(path)", "n": 1])
        try await checks.expect(result.args.value, ["title": "cat.png at 200", "path": "/tmp/cat.png", "n": 1])
        result = try await producer.perform(
            "echo", ["width": width / 2, "name": owner ?? "nobody", "big": width > 100])
        try await checks.expect(result.args.value, ["width": 100, "name": "Ada", "big": true])
        result = try await producer.perform(
            "echo",
            [
                "path": path, "backup": path + ".bak", "width": width, "next": width + 1, "scale": scale * 2 + 0.25,
                "gray": !isGray, "owner": owner, "tags": tags, "sizes": sizes, "last": tags.count - 1, "none": nil,
                "one": 1, "half": 0.5, "yes": true, "text": "x", "big": width > 100 && isGray,
            ])
        try await checks.expect(
            result.args.value,
            [
                "path": "cat.png", "backup": "cat.png.bak", "width": 200, "next": 201, "scale": 1.25, "gray": false,
                "owner": "Ada", "tags": ["a", "b"], "sizes": ["small": 100, "large": 800], "last": 1, "none": nil,
                "one": 1, "half": 0.5, "yes": true, "text": "x", "big": true,
            ])
        result = try await producer.perform("echo", ["path": isGray ? path : "dog.png", "width": isGray ? width : nil])
        try await checks.expect(result.args.value, ["path": "cat.png", "width": 200])
    }

    /// Types of Foundation's and of one's own, in a literal and as args.
    func types() async throws {
        let id = UUID()
        let url = URL(string: "https://example.org/cats")
        let picture = Picture(path: path, size: Size(width: width), takenAt: takenAt)
        var result = try await producer.perform("echo", ["id": id, "url": url, "path": path])
        try await checks.expect(
            result.args.value,
            ["id": .string(id.uuidString), "url": "https://example.org/cats", "path": "cat.png"])
        result = try await producer.perform("tomorrow", ["at": takenAt])
        try await checks.expect(result.args.value, ["at": 1_767_312_000.5])
        result = try await producer.perform("echo", ["data": Data("abc".utf8), "byte": UInt8(7), "big": Int64.max])
        try await checks.expect(result.args.value, ["data": "YWJj", "byte": 7, "big": .integer(.max)])
        result = try await producer.perform(
            "echo", ["fit": Fit.contain, "size": Size(width: 1, height: 2), "n": width])
        try await checks.expect(result.args.value, ["fit": "contain", "size": ["width": 1, "height": 2], "n": 200])
        let back = try await producer.perform("echo", picture, returning: Picture.self)
        try await checks.expect(.bool(back == picture), true)
        let size = try await producer.perform("echo", ["width": width, "tag": path], returning: Size.self)
        try await checks.expect(.bool(size == Size(width: 200)), true)
        let pictures = try await producer.perform("echo", ["pictures": [picture, picture]], timeout: .seconds(60))
        try await checks.expect(pictures["pictures"]?[1]?["takenAt"] ?? .null, 1_767_225_600.5)
    }

    /// Dictionaries, nested values, and what was there before.
    func shapes() async throws {
        let counts = ["a": 1, "b": 2]
        try await checks.expect(
            try await echo(["n": 1, "s": "x", "list": [1, "x", nil], "object": ["k": true]]),
            ["n": 1, "s": "x", "list": [1, "x", nil], "object": ["k": true]])
        try await checks.expect(
            try await echo(["path": .string(path), "width": JSONValue(width)]),
            ["path": "cat.png", "width": 200])
        var result = try await producer.perform("echo", counts)
        try await checks.expect(result.args.value, ["a": 1, "b": 2])
        result = try await producer.perform("echo", counts.mapValues { $0 * 2 })
        try await checks.expect(result.args.value, ["a": 2, "b": 4])
        result = try await producer.perform("echo", ["size": ["width": width, "unit": path] as JobValues, "n": width])
        try await checks.expect(result.args.value, ["size": ["width": 200, "unit": "cat.png"], "n": 200])
        result = try await producer.perform("echo", ["list": [1, "x"] as JSONValue, "path": path])
        try await checks.expect(result.args.value, ["list": [1, "x"], "path": "cat.png"])
        let args: JobArguments = ["path": "cat.png", "width": 200]
        result = try await producer.perform("echo", args)
        try await checks.expect(result.args.value, ["path": "cat.png", "width": 200])
        result = try await producer.perform("echo", ["earlier": result.args, "path": path])
        try await checks.expect(
            result.args.value, ["earlier": ["path": "cat.png", "width": 200], "path": "cat.png"])
        let values: JobValues = ["path": path, "width": width]
        result = try await producer.perform("echo", values)
        try await checks.expect(result.args.value, ["path": "cat.png", "width": 200])
        result = try await performed(Size(width: 3))
        try await checks.expect(result.args.value, ["width": 3])
        result = try await producer.perform("echo")
        try await checks.expect(result.args.value, [:])
    }

    private func performed(_ args: some Encodable & Sendable) async throws -> JobResult {
        try await producer.perform("echo", args)
    }

    /// Options, closures, sequences, many at once, and what goes wrong.
    func outcomes() async throws {
        let (outcomes, sender) = AsyncStream.makeStream(of: JSONValue.self)
        let handler = producer.onSuccess("greet") { result in sender.yield(result["greeting"] ?? .null) }
        let name = "Grace"
        try producer.enqueue("greet", ["name": name, "after": width], JobOptions(after: .milliseconds(1)))
        try await checks.expect(await outcomes.first { _ in true } ?? .null, "Hello, Grace!")
        handler.remove()
        try producer.enqueue("echo", ["path": path, "width": width], onSuccess: { sender.yield($0.args.value) })
        try await checks.expect(await outcomes.first { _ in true } ?? .null, ["path": "cat.png", "width": 200])
        try producer.enqueue("fails", ["path": path, "width": width]) { result in
            sender.yield(result.args.value)
        } onError: { failure in
            sender.yield(.string(failure.message))
        }
        try await checks.expect(await outcomes.first { _ in true } ?? .null, "no disk")
        var last: JobEvent?
        for await event in try producer.follow("resize", ["path": path, "width": width]).events { last = event }
        guard case .success(let resized)? = last else { throw Wrong(description: "the job ended with \(last as Any)") }
        try await checks.expect(resized["result"] ?? .null, "Yay!")
        let paths = ["a.png", "b.png"]
        let jobs = try paths.map { try JobSubmission("echo", ["path": $0, "width": width]) }
        try await checks.expect(JSONValue(try producer.enqueue(contentsOf: jobs).count), 2)
        do {
            try producer.enqueue("echo", ["width": Double.nan, "path": path])
            throw Wrong(description: "NaN was taken")
        } catch let error as JobError {
            try await checks.expect(.string(error.message), "args.width: NaN cannot be stored as JSON")
        }
        do {
            _ = try await producer.perform("fails", ["path": path, "width": width])
            throw Wrong(description: "the job did not fail")
        } catch let failure as JobFailure {
            try await checks.expect(.string(failure.message), "no disk")
        }
        try await atMain()
    }

    @MainActor private func atMain() async throws {
        let title = "main"
        let result = try await producer.perform("echo", ["title": title, "width": width]) { progress in
            print(progress.fraction ?? 0)
        }
        try await checks.expect(result.args.value, ["title": "main", "width": 200])
    }
}
