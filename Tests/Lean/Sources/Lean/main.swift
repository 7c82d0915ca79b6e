import JobReactor

let distributor = try await Distributor.start(port: 0)
let id = try distributor.enqueue("resize", ["path": "cat.png"])
print(try await distributor.job(id)?.status.rawValue ?? "unknown")
await distributor.stop()
