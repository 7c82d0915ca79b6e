internal import JobReactorCore
internal import JobReactorWire
internal import NIOCore

/// How outcomes and progress reach those who wait for them.
extension DistributorCore {
    func reported(_ report: JobReport) {
        guard let entry = entries[report.id] else { return reportedByStranger(report) }
        guard report.run > entry.lastRun else {
            counters.repeatedReports += 1
            return
        }
        // A durable node that starts again may tell it again, when there is no entry any more.
        if case .owned = entry.place { _ = recentReports.note(report) }
        switch report.feedback.kind {
        case .success: counters.succeeded += 1
        case .error: counters.failed += 1
        }
        if !cancelling.isEmpty { cancelling.remove(report.id) }
        let isFinished = report.status.isFinished
        let sink = entry.sink
        if !isFinished {
            entry.lastRun = report.run
            // A periodic job keeps its state in its args: so must the copy that another node would get.
            entry.due = .never
            if let job = entry.job {
                let next = now.advanced(bySeconds: job.period ?? 0)
                entry.due = .steady(next.steady)
                entry.job?.args = report.feedback.args
                entry.job?.dueAt = next.wall
                if entry.isStored, let job = entry.job {
                    keeper?.apply(.update(Self.record(job, of: sink, at: nil)))
                }
            }
            if case .command = sink { entry.sink = .none }
            entries.recount(entry)
        } else {
            entries[report.id] = nil
        }
        if isFinished, entry.isStored { keeper?.apply(.remove(report.id)) }
        deliver(report, name: entry.name, to: sink)
        if isFinished { noteProgress() }
    }

    func deliver(_ report: JobReport, name: String, to sink: Sink) {
        if !handlers.isEmpty {
            for handler in handlers[name] ?? [] {
                handler.deliver(report.feedback, id: report.id, name: name, status: report.status)
            }
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

    /// The outcome of a job that this process does not wait for: a durable node has it, or an earlier process accepted it;
    /// or it has had its outcome.
    private func reportedByStranger(_ report: JobReport) {
        guard !givenTwice.contains(report.id), recentReports.note(report) else {
            counters.repeatedReports += 1
            return
        }
        switch report.feedback.kind {
        case .success: counters.succeeded += 1
        case .error: counters.failed += 1
        }
        deliver(report, name: report.name, to: .none)
    }

    func progressed(_ progress: Progress) {
        guard let entry = entries[progress.id], progress.run > entry.lastRun else { return }
        let shown = JobProgress(
            id: progress.id, name: entry.name, fraction: progress.fraction, text: progress.text)
        for handler in handlers[entry.name] ?? [] { handler.onProgress?(shown) }
        switch entry.sink {
        case .application(let feedback): feedback.onProgress?(shown)
        case .producer(let producer): producer.progressed(progress)
        case .command, .acknowledgement, .none: break
        }
    }

    func handle(_ name: String, _ feedback: JobFeedback) {
        handlers[name, default: []].append(feedback)
    }

    // MARK: Reports counted

    /// The number of the last report that has come from this process of the node, over all its links; 0 for none.
    func lastReport(from node: NodeIntroduction) -> Int {
        guard let known = received[node.name], known.instance == node.instance else { return 0 }
        return known.number
    }

    func noteReceived(_ number: Int, from node: NodeIntroduction) {
        received[node.name] = (node.instance, number)
    }
}
