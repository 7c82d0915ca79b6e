import JobReactor
import Testing

/// What an application can name that imports this alone: no other import of JobReactor's may come into this file.
@Suite("With import JobReactor alone") struct ExportsTests {
    @Test("the types of all public properties can be named")
    func properties() async throws {
        var configuration = DistributorConfiguration(name: "d", port: 0)
        configuration.logger.logLevel = .critical
        configuration.limits.frameBytes = 1 << 20
        configuration.dialAllow = [try #require(DialRule("10.0.0.0/8"))]
        let address: Address = configuration.address
        let security: WireSecurity = configuration.security
        let (password, tls): (Password?, TransportSecurity?) = (security.password, security.tls)
        let users: (any UserDirectory)? = security.users
        let limits: RESPLimits = configuration.limits
        let rules: [DialRule] = configuration.dialAllow
        let (clock, logger): (WallClock, Logger) = (configuration.clock, configuration.logger)
        let storage: (any JobStorage)? = configuration.storage
        #expect(address.port == 0 && password == nil && tls == nil && users == nil && limits.frameBytes == 1 << 20)
        #expect(rules.count == 1 && logger.logLevel == .critical && storage == nil)
        let date: Date = clock.now.date
        #expect(date.timeIntervalSince1970 > 0)

        let producer = RecordingProducer()
        let id: JobID = try producer.enqueue("j", ["at": date])
        let result: JobResult = try await producer.perform("j")
        let (args, status): (JobArguments, JobStatus) = (result.args, result.status)
        #expect(id < result.id && args.value == [:] && status == .complete)
    }

    @Test("so can those that start it, and its errors")
    func others() {
        func start(on group: (any EventLoopGroup)?) -> Distributor { Distributor(on: group) }
        let errors: [any Error.Type] = [
            JobError.self, JobFailure.self, WireError.self, StorageError.self, JSONError.self,
        ]
        let types: [Any.Type] = [
            JobOptions.self, JobSubmission.self, JobFeedback.self, JobProgress.self, JobInfo.self, NodeInfo.self,
            WaitingJobs.self, JobMonitor.self, StoredOwner.self, Timestamp.self, JSONValue.self, JobValues.self,
            JobLimits.self, JobEvent.self, FollowedJob.self, HandlerRegistration.self,
        ]
        #expect(errors.count == 5 && types.count == 16)
        #expect(start(on: nil).port == nil)
    }
}
