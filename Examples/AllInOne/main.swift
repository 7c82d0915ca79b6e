// A distributor and a node in one process, on one event loop: background jobs without a second program. Lua still has a
// thread of its own, so a job that computes for long holds up nothing here.
//
// Run it where the folder `reactor_jobs` is.

import JobReactor
import JobReactorNode
import NIOCore
import NIOPosix

// An application that uses SwiftNIO has a group already, and would pass that.
let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

// Port 0 takes any free port.
let distributor = try await Distributor.start(host: "localhost", port: 0, on: group)
let address = Address(host: "localhost", port: distributor.port ?? 0)
let node = try await Node.start(NodeConfiguration(name: "worker_1", distributors: [address]), on: group)

// With feedbacks: `enqueue` returns at once, and one of the two closures is called when the outcome is known. They are
// called on the event loop and must not block; here they hand the outcome to the code below.
let (outcomes, sender) = AsyncStream.makeStream(of: String.self)
try distributor.enqueue(
    "my_job", ["arg1": "Hello"],
    onSuccess: { sender.yield("The job says \($0["result"]?.string ?? "nothing")") },
    onError: { sender.yield("The job failed: \($0.message)") })
for await outcome in outcomes {
    print(outcome)
    break
}

// The same with `perform`, which waits for the outcome and throws when the job fails.
let result = try await distributor.perform("my_job", ["arg1": "Hello again"], timeout: 10)
print("The args of job \(result.id) are now \(result.args)")

await node.stop()
await distributor.stop()
try await group.shutdownGracefully()
