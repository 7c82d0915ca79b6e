internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// How outcomes and progress reach those who wait for them.
extension DistributorCore {
    /// A node has reported; no action is made for what most reports come to. Followed by ``noteMemory()`` when all that came
    /// with it is through.
    func reported(_ report: JobReport, from node: Dispatcher.NodeHandle) {
        if let told = changeUnmeasured({ $0.settle(report, from: node) }) {
            deliver(report, name: told.name, to: told.sink)
        }
    }

    func deliver(_ report: JobReport, name: String, to sink: Sink) {
        if ask({ !$0.ticks.isEmpty }) { noteTick(report) }
        if !handlers.isEmpty {
            handlers[name].tell { $0.deliver(report.feedback, id: report.id, name: name, status: report.status) }
        }
        switch sink {
        case .application(let feedback):
            feedback.deliver(report.feedback, id: report.id, name: name, status: report.status)
        case .producer(let producer):
            producer.report(report)
        case .command(let session, let ticket, let deadline):
            deadline?.cancel()
            session.pay(ticket) { buffer in
                switch report.feedback.kind {
                case .success: buffer.writeRESPBulk(report.feedback.args.bytes)
                case .error: buffer.writeRESPError(code: "JOBFAILED", report.feedback.args.bytes)
                }
            }
        case .acknowledgement, .none: break
        }
    }

    func progressed(_ progress: Progress, from node: Dispatcher.NodeHandle) {
        guard let (name, sink) = ask({ $0.progressed(progress, from: node) }) else { return }
        let shown = JobProgress(
            id: progress.id, name: name, fraction: progress.fraction, text: progress.text)
        handlers[name].tell { $0.onProgress?(shown) }
        switch sink {
        case .application(let feedback): feedback.onProgress?(shown)
        case .producer(let producer): producer.progressed(progress)
        case .command, .acknowledgement, .none: break
        }
    }

    // MARK: Reports counted

    /// The number of the last report that has come from this process of the node, over all its links; 0 for none.
    func lastReport(from node: NodeIntroduction) -> Int {
        guard let known = received[node.name], known.instance == node.instance else { return 0 }
        return known.number
    }

    /// Reports that producers have, or that come too late for them.
    func forgetReports(_ keys: [JobReport.Key]) {
        if let keeper { for key in keys { keeper.apply(.taken(key)) } }
    }

    /// Calls `body` when all that was to be stored of what has come is stored.
    func whenApplied(_ body: @escaping () -> Void) {
        if let keeper { keeper.whenApplied(body) } else { body() }
    }

    private static let mostReceived = 100_000

    func noteReceived(_ number: Int, from node: NodeIntroduction) {
        // An older link may have told it late.
        if let known = received[node.name], known.instance == node.instance, known.number > number { return }
        // Names come from outside.
        if received.count >= Self.mostReceived { received = received.filter { isRegistered($0.key) } }
        received[node.name] = (node.instance, number)
    }
}
