import JobReactor

let distributor = try await Distributor.start(port: 5000)

try distributor.enqueue("greet", ["name": "Ada"]) { result in
    print(result["greeting"]?.string ?? "no greeting")
}
let result = try await distributor.perform("greet", ["name": "Grace"])
print(result.args)

await distributor.stop()
