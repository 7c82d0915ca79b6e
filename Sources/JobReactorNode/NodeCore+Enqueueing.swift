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
            guard let address = directory.addresses[job.distributor] ?? configuration.distributors.first else {
                continue
            }
            var options = job.options
            options.id = job.id
            metrics?.enqueued(job.name)
            byAddress[address, default: []].append(JobSubmission(job.name, job.args, options))
        }
        for (address, submissions) in byAddress {
            do throws(JobError) { try client(to: address).enqueue(contentsOf: submissions) } catch {
                logger.error(
                    "jobs that a script enqueued are lost: \(error)", metadata: ["jobs": "\(submissions.count)"])
            }
        }
        return EventLoopFuture.andAllComplete(clients.values.map { $0.flushed() }, on: loop)
    }

    /// Enqueues a job for a script that waits for its outcome.
    func perform(
        _ job: LuaLane.Enqueued, onParked: @escaping @Sendable (String) -> Void, _ done: @escaping ScriptFunction.Done
    ) {
        guard let address = directory.addresses[job.distributor] ?? configuration.distributors.first else {
            return done(.failure(ScriptFailure("perform: there is no distributor")))
        }
        var options = job.options
        options.id = job.id
        metrics?.enqueued(job.name)
        var feedback = JobFeedback(
            onSuccess: { done(.success([.bool(true), .json($0.args.bytes)])) },
            onError: { done(.success([.bool(false), .json($0.args.bytes)])) },
            onProgress: { if $0.isParked { onParked($0.text) } })
        feedback.onStop = { done(.failure(ScriptFailure("perform: the node is stopping"))) }
        do throws(JobError) { try client(to: address).perform(job.name, job.args, options, feedback: feedback) } catch {
            done(.failure(ScriptFailure("perform: \(error.message)")))
        }
    }

    /// Enqueues a job with a key for a script that waits for which job stands. One that does in place of this is told before this is
    /// accepted.
    func place(_ job: LuaLane.Enqueued, _ done: @escaping ScriptFunction.Done) {
        guard let address = directory.addresses[job.distributor] ?? configuration.distributors.first else {
            return done(.failure(ScriptFailure("enqueue: there is no distributor")))
        }
        var options = job.options
        options.id = job.id
        metrics?.enqueued(job.name)
        let holder = Locked<String?>(nil)
        let feedback = JobFeedback(onError: { failure in
            guard failure.args["error"]?.string?.hasPrefix("not enqueued: ") == true else { return }
            holder.withLock { $0 = failure.args["unique"]?.string }
        })
        let (client, raises) = (client(to: address), options.unique?.onConflict == .raise)
        do throws(JobError) { try client.enqueue(job.name, job.args, options, feedback: feedback) } catch {
            return done(.failure(ScriptFailure("enqueue: \(error.message)")))
        }
        client.flushed().whenComplete { result in
            switch (result, holder.withLock { $0 }) {
            case (.failure(let error), _): done(.failure(ScriptFailure("enqueue: \(error)")))
            case (.success, let holder?) where raises:
                done(.failure(ScriptFailure("enqueue: UNIQUE \(holder): that job holds the key")))
            case (.success, let holder): done(.success([.string(holder ?? job.id.description)]))
            }
        }
    }

    private func client(to address: Address) -> JobClient {
        if let known = clients[address] { return known }
        let client = JobClient.connecting(
            to: address, security: configuration.security, tracing: tracing?.tracing, on: loop, clock: clock,
            logger: logger)
        clients[address] = client
        return client
    }
}
