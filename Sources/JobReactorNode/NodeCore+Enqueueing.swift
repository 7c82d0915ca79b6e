internal import JobReactor
internal import JobReactorCore
internal import JobReactorLua
internal import JobReactorWire
internal import Logging
internal import NIOCore

/// Jobs that scripts enqueue: they go to the distributor of the job that did it, as from any producer.
extension NodeCore {
    /// Done when the distributors have accepted all of them.
    func enqueue(_ jobs: [LuaLane.Enqueued]) -> EventLoopFuture<Void> {
        var byAddress: [Address: [JobSubmission]] = [:]
        for job in jobs {
            guard let address = addresses[job.distributor] ?? configuration.distributors.first else { continue }
            var options = job.options
            options.id = job.id
            byAddress[address, default: []].append(JobSubmission(job.name, job.args, options))
        }
        for (address, submissions) in byAddress {
            do throws(JobError) { try client(to: address).enqueue(contentsOf: submissions) } catch {
                logger.error("what a script enqueued is lost: \(error)", metadata: ["jobs": "\(submissions.count)"])
            }
        }
        return EventLoopFuture.andAllComplete(clients.values.map { $0.flushed() }, on: loop)
    }

    private func client(to address: Address) -> JobClient {
        if let known = clients[address] { return known }
        let client = JobClient.connecting(to: address, security: configuration.security, on: loop, logger: logger)
        clients[address] = client
        return client
    }
}
