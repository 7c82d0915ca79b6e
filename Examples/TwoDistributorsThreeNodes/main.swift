// Two distributors and three nodes, all to all: any node works for any distributor, and options say which node a job
// should, or must not, run on. In real life each of the five is a process of its own, on any machine; here they share
// one, so that a single command shows it all.
//
// Run it where the folder `reactor_jobs` is.

import JobReactor
import JobReactorNode
import Logging

/// Enqueues a few jobs at once, waits for all of them and prints which nodes ran them.
func show(_ what: String, _ distributor: Distributor, _ options: JobOptions = JobOptions()) async throws {
    let nodes = try await withThrowingTaskGroup(of: String.self) { group in
        for number in 1...6 {
            group.addTask {
                let args: JobArguments = ["arg1": "\(what) \(number)"]
                let result = try await distributor.perform("my_job", args, options, timeout: 10)
                // There because of `mergeJobItselfToArgs` below.
                return result["job_itself"]?["node"]?.string ?? "?"
            }
        }
        return try await group.reduce(into: [:]) { counts, node in counts[node, default: 0] += 1 }
    }
    let list = nodes.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    print("\(what): \(list)")
}

// Everyone who comes and goes is logged, and what jobs print. Here that would hide what is to be seen.
var logger = Logger(label: "example")
logger.logLevel = .warning

// For instance the shop and the bookkeeping of one company, each an application with a distributor inside.
let shop = Distributor(DistributorConfiguration(host: "localhost", port: 0, logger: logger))
let books = Distributor(DistributorConfiguration(host: "localhost", port: 0, logger: logger))
for distributor in [shop, books] { try await distributor.start() }
let addresses = [shop, books].map { Address(host: "localhost", port: $0.port ?? 0) }

// Anna and Ben listen on a port (any free one, here), and the distributors connect to them. Cleo does not listen, as a
// node behind a firewall could not: she is served over the connections that she opens herself.
let anyPort = Address(host: "localhost", port: 0)
let servers: [(String, Address?)] = [("anna", anyPort), ("ben", anyPort), ("cleo", nil)]
var nodes: [String: Node] = [:]
for (name, server) in servers {
    nodes[name] = try await Node.start(
        NodeConfiguration(
            name: name, distributors: addresses, server: server, mergeJobItselfToArgs: true, logger: logger))
}
// Jobs may be enqueued before any node is there. But who gets them is to be seen, so wait until all are.
for distributor in [shop, books] {
    while try await distributor.nodes().count < nodes.count { try await Task.sleep(for: .milliseconds(20)) }
}

try await show("shop, any node", shop)
try await show("books, any node", books)
try await show("shop, rather on ben", shop, JobOptions(node: "ben"))
try await show("books, not on anna", books, JobOptions(notNode: "anna"))

// Nodes come and go. What ben does is finished before he leaves, and from then on the others do it.
await nodes["ben"]?.stop()
try await show("shop, rather on ben, who has left", shop, JobOptions(node: "ben"))

for node in nodes.values { await node.stop() }
for distributor in [shop, books] { await distributor.stop() }
print("All stopped.")
