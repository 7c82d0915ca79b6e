import JobReactor

/// What the guide shows of an application that imports `JobReactor` alone, word for word.
struct Guide {
    let distributor: Distributor

    struct Picture: Codable {
        var path: String
        var width: Int
    }

    func run() async throws {
        try distributor.enqueue("greet", ["name": "Ada"]) { result in
            print(result["greeting"]?.string ?? "no greeting")
        }
        try distributor.enqueue("resize", ["path": "cat.png", "width": 200], JobOptions(after: 0.5)) { result in
            print(result.args)
        } onError: { failure in
            print(failure.message)
        }
        let resized = try await distributor.perform(
            "resize", Picture(path: "cat.png", width: 200), returning: Picture.self)
        let small = try await distributor.perform("resize", ["path": resized.path, "width": resized.width / 2])
        print(small.args)
        let job = try distributor.follow("resize", ["path": "cat.png", "width": 200])
        for await event in job.events {
            switch event {
            case .progress(let progress): print(progress.fraction ?? 0, progress.text)
            case .success(let result): print(result.args)
            case .failure(let failure): print(failure.message)
            }
        }
        try await handlers()
    }

    private func handlers() async throws {
        let logger = Logger(label: "app")
        distributor.onSuccess("resize") { result in logger.debug("resized \(result.args)") }
        let failures = distributor.onError("resize") { failure in logger.debug("\(failure.message)") }
        failures.remove()  // it is not called any more
        let ids = try distributor.enqueue(contentsOf: [
            JobSubmission("resize", ["path": "cat.png"]), JobSubmission("resize", ["path": "dog.png"]),
        ])
        let record = try await distributor.job(ids[0])  // its status, attempt, node, last error …
        let isCancelled = try await distributor.cancel(ids[1])
        print(record?.status.rawValue ?? "done", isCancelled)
    }
}
