import JobReactor
import JobReactorNode
import JobReactorTesting
import Logging
import Testing

/// What happens from the beginning of a run to its end.
@Suite("Semantics: one run of a job") struct OneRunOfAJobTests {
    @Test("the attempt is counted, run_at noted and 'in progress' saved before any user code runs")
    func savedBeforeUserCode() async throws {
        let storage = WatchedStorage(delay: 0.2)
        try await withNode("job('early', function(args) progress(0) end)") {
            $0.storage = storage
        } _: { distributor in
            for options in [JobOptions(), JobOptions(after: 0.01)] {
                let outcomes = Outcomes()
                let seen = storage.events.elements.count
                let id = try distributor.enqueue("early", ["a": 1], options, onProgress: { _ in storage.note("ran") })
                try distributor.enqueue("early", feedback: outcomes.feedback)
                _ = try await outcomes.wait(for: 1)
                try await eventually("it has run") { storage.events.elements.dropFirst(seen).contains("ran") }
                let events = Array(storage.events.elements.dropFirst(seen))
                let began = try #require(events.firstIndex(of: "\(id) in progress, attempt 1, run_at"))
                let ran = try #require(events.firstIndex(of: "ran"))
                #expect(began < ran, "\(events)")
            }
        }
    }

    @Test("each run has a fresh args table, made from the stored args")
    func freshArgs() async throws {
        let lua = """
            job('again', { max_attempt = 3, retry_multiplier = 0 }, function(args)
              args.leaked = args.leaked or args.added
              args.added = true
              args.list[#args.list + 1] = 'more'
              if #args.list > 2 then args.leaked = true end
              error('no', 0)
            end)
            job_errback('again', function(args) args.runs = (args.runs or 0) + 1 end)
            """
        try await withNode(lua) { distributor in
            let outcome = try await distributor.outcome("again", ["list": ["one"]])
            #expect(outcome.args.value == ["list": ["one"], "runs": 3, "error": "no"])
        }
    }

    @Test("with merge_job_itself_to_args args.job_itself has the fields of the record")
    func jobItself() async throws {
        let lua = """
            job('shows', { max_attempt = 2 }, function(args)
              if not args.job_itself.failed_at then error('first', 0) end
              args.seen = args.job_itself
              cancel_job()
            end)
            job_errback('shows', function(args) args.at_errback = args.job_itself end)
            """
        try await withNode(lua) {
            $0.mergeJobItselfToArgs = true
        } _: { distributor in
            let before = Timestamp.now.seconds
            let outcome = try await distributor.outcome("shows", [:], JobOptions(after: 0.01, period: 0.02))
            let id = outcome.id.description
            guard case .object(let itself) = outcome.args["seen"] else { return #expect(Bool(false)) }
            #expect(
                Set(itself.keys) == [
                    "id", "name", "attempt", "status", "period", "make_after", "node", "distributor", "run_at",
                    "failed_at", "last_error", "on_success", "on_error", "defer",
                ])
            #expect(itself["id"]?.string == id && itself["on_success"]?.string == id)
            #expect(itself["on_error"]?.string == id)
            #expect(itself["name"] == "shows" && itself["attempt"] == 2 && itself["status"] == "in progress")
            #expect(itself["period"]?.double == 0.02 && itself["make_after"]?.double == 0.02)
            #expect(itself["node"] == "n1" && itself["defer"] == false && itself["last_error"] == "first")
            #expect(itself["distributor"]?.string?.isEmpty == false)
            let failedAt = try #require(itself["failed_at"]?.double)
            let runAt = try #require(itself["run_at"]?.double)
            #expect(before <= failedAt && failedAt <= runAt && runAt <= Timestamp.now.seconds)
            // An errback sees the failure in it.
            guard case .object(let failed) = outcome.args["at_errback"] else { return #expect(Bool(false)) }
            #expect(failed["status"] == "error" && failed["last_error"] == "first" && failed["attempt"] == 1)
            // What was left of the wait when the node got the job, if anything was.
            #expect(0...0.01 ~= failed["make_after"]?.double ?? 0)
        }
    }

    @Test("without the option there is no job_itself")
    func noJobItself() async throws {
        try await withNode("job('shows', function(args) args.none = args.job_itself == nil end)") { distributor in
            let args = try await distributor.outcome("shows").args.value
            #expect(args == ["none": true])
        }
    }

    @Test("the body runs, then each callback, all on the same args table: what one step adds, the next sees")
    func sameTable() async throws {
        let lua = """
            local table
            job('adds', function(args) table = args args.n = args.n + 1 args.same = true end)
            for i = 1, 3 do
              job_callback('adds', function(args) args.n = args.n * 2 args.same = args.same and args == table end)
            end
            """
        try await withNode(lua) { distributor in
            let args = try await distributor.outcome("adds", ["n": 1]).args.value
            #expect(args == ["n": 16, "same": true])
        }
    }

    @Test("all succeed: the table, less job_itself, becomes the args; the feedback gets exactly that, and job_itself")
    func success() async throws {
        let storage = MemoryStorage()
        let lua = "job('sets', function(args) args.gone = nil args.deep.new = { 1, 2.5, 'x' } end)"
        try await withNode(lua) {
            $0.storage = storage
            $0.mergeJobItselfToArgs = true
            $0.policy.removeDoneJobs = false
        } _: { distributor in
            let outcome = try await distributor.outcome("sets", ["gone": 1, "deep": ["old": .null]])
            let record = try #require(try await storage.record(outcome.id))
            #expect(record.args.value == ["deep": ["old": .null, "new": [1, 2.5, "x"]]])
            guard case .object(var told) = outcome.args.value else { return #expect(Bool(false)) }
            guard case .object(let itself) = told.removeValue(forKey: "job_itself") else {
                return #expect(Bool(false))
            }
            #expect(.object(told) == record.args.value)
            #expect(itself["status"] == "complete")
        }
    }

    @Test(
        "not periodic: status 'complete', and removed from the storage when remove_done_jobs", arguments: [true, false])
    func complete(removes: Bool) async throws {
        let storage = MemoryStorage()
        try await withNode("job('does', function() end)") {
            $0.storage = storage
            $0.policy.removeDoneJobs = removes
        } _: { distributor in
            let outcome = try await distributor.outcome("does")
            #expect(outcome.status == .complete && outcome.isSuccess)
            #expect(try await storage.record(outcome.id)?.status == (removes ? nil : .complete))
        }
    }

    @Test("periodic: queued again with the args as they stand, so a job keeps state in them and can cancel itself")
    func periodic() async throws {
        let lua = """
            job('counts', function(args)
              args.n = args.n + 1
              if args.n == 3 then cancel_job() end
            end)
            """
        let storage = MemoryStorage()
        try await withNode(lua) {
            $0.storage = storage
        } _: { distributor in
            let outcomes = Outcomes()
            let id = try distributor.enqueue("counts", ["n": 0], JobOptions(period: 0.1), feedback: outcomes.feedback)
            // The success feedback fires after every run.
            let all = try await outcomes.wait(for: 3)
            #expect(all.map { $0.args["n"] } == [1, 2, 3])
            #expect(all.map(\.status) == [.queued, .queued, .cancelled])
            #expect(all.map(\.isSuccess) == [true, true, true])
            #expect(try await storage.record(id) == nil)
        }
    }

    @Test("a periodic job is due again after its period, counted from the end of the run")
    func period() async throws {
        let storage = MemoryStorage()
        try await withNode("job('rests', function() end)") {
            $0.storage = storage
        } _: { distributor in
            let before = Timestamp.now
            let outcome = try await distributor.outcome("rests", [:], JobOptions(period: 3600))
            let record = try #require(try await storage.record(outcome.id))
            #expect(record.status == .queued && record.makeAfter == 3600 && record.period == 3600)
            #expect(record.attempt == 0)
            #expect(record.dueAt >= before.advanced(bySeconds: 3600))
            #expect(record.dueAt <= Timestamp.now.advanced(bySeconds: 3600))
        }
    }

    @Test(
        "a step raises: no further callback runs; failed_at, last_error and 'error' are saved before the errbacks run")
    func stepRaises() async throws {
        let storage = WatchedStorage(delay: 0)
        let lua = """
            job('breaks', { max_attempt = 1 }, function(args) args.body = true end)
            job_callback('breaks', function(args) error('in a callback', 0) end)
            job_callback('breaks', function(args) progress(0, 'never') end)
            job_errback('breaks', function(args) progress(0, 'errback') end)
            """
        try await withNode(lua) {
            $0.storage = storage
        } _: { distributor in
            let outcomes = Outcomes()
            let id = try distributor.enqueue(
                "breaks", [:], JobOptions(),
                feedback: JobFeedback(
                    onSuccess: nil, onError: outcomes.feedback.onError, onProgress: { storage.note($0.text) }))
            _ = try await outcomes.wait(for: 1)
            let events = storage.events.elements
            #expect(events.contains("never") == false)
            let saved = try #require(events.firstIndex(of: "\(id) error, attempt 1, run_at, failed_at: in a callback"))
            let errback = try #require(events.firstIndex(of: "errback"))
            #expect(saved < errback, "\(events)")
        }
    }

    @Test("errbacks get the args as stored before the run, and args.error; what they add is kept for the next attempt")
    func errbackArgs() async throws {
        let lua = """
            job('tries', { max_attempt = 2, retry_multiplier = 0 }, function(args)
              args.seen_by_body = args.note
              args.lost = true
              error('attempt ' .. (args.note and 2 or 1), 0)
            end)
            job_errback('tries', function(args)
              args.note = (args.note or '') .. args.error .. ';'
              args.visible = args.lost
              args.error_before = args.errors
              args.errors = (args.errors or 0) + 1
            end)
            """
        try await withNode(lua) { distributor in
            let outcome = try await distributor.outcome("tries", ["given": 1])
            // `visible` and `seen_by_body` would stand here had they been seen.
            #expect(
                outcome.args.value == [
                    "given": 1, "note": "attempt 1;attempt 2;", "errors": 2, "error_before": 1, "error": "attempt 2",
                ])
            #expect(!outcome.isSuccess && outcome.status == .failed)
        }
    }

    @Test("an errback raises: the remaining ones are skipped, and args.errback_error holds the message")
    func errbackRaises() async throws {
        let lua = """
            job('breaks', { max_attempt = 1 }, function() error('first', 0) end)
            job_errback('breaks', function(args) args.one = true end)
            job_errback('breaks', function(args) error('second', 0) end)
            job_errback('breaks', function(args) args.three = true end)
            """
        let (log, storage) = (LogRecorder(), MemoryStorage())
        try await withNode(lua) {
            $0.logger = log.logger
            $0.storage = storage
        } _: { distributor in
            let outcome = try await distributor.outcome("breaks")
            #expect(outcome.args.value == ["one": true, "error": "first", "errback_error": "second"])
            // The log and the record have both errors; so has what `perform` throws.
            let text = "first\nan errback failed: second"
            #expect(try await storage.record(outcome.id)?.lastError == text)
            #expect(log.lines.elements.contains { $0.level == .warning && $0.text == text })
            let failure = await #expect(throws: JobFailure.self) {
                try await distributor.perform("breaks", timeout: 60)
            }
            #expect(failure?.errbackMessage == "second")
            #expect(failure?.description.hasSuffix(" failed: first; an errback failed: second") == true)
        }
    }

    @Test(
        "before max_attempt (10) it is queued again after attempt * retry_multiplier (5) seconds, or after its period")
    func retries() async throws {
        let storage = MemoryStorage()
        try await withNode("job('fails', function() error('no', 0) end)") {
            $0.storage = storage
        } _: { distributor in
            for (options, wait) in [(JobOptions(), 5.0), (JobOptions(period: 7200), 7200)] {
                let id = try distributor.enqueue("fails", [:], options)
                try await eventually("it has failed") { try await storage.record(id)?.failedAt != nil }
                try await eventually("it waits") { try await storage.record(id)?.status == .queued }
                let record = try #require(try await storage.record(id))
                let failedAt = try #require(record.failedAt)
                let expected = record.period == nil ? wait * Double(record.attempt) : wait
                #expect(record.attempt >= 1 && record.makeAfter == expected && record.lastError == "no")
                #expect(record.dueAt == failedAt.advanced(bySeconds: expected))
                _ = try await distributor.cancel(id)
            }
            #expect(JobPolicy().maxAttempt == 10 && JobPolicy().retryMultiplier == 5)
        }
    }

    @Test(
        "else it has failed: the error feedback fires once, and the record stays unless remove_failed_jobs",
        arguments: [false, true])
    func failed(removes: Bool) async throws {
        let storage = MemoryStorage()
        try await withNode("job('fails', function() error('no', 0) end)\njob('after', function() end)") {
            $0.storage = storage
            $0.policy.maxAttempt = 2
            $0.policy.retryMultiplier = 0
            $0.policy.removeFailedJobs = removes
        } _: { distributor in
            let outcomes = Outcomes()
            let id = try distributor.enqueue("fails", feedback: outcomes.feedback)
            _ = try await outcomes.wait(for: 1)
            _ = try await distributor.outcome("after")
            #expect(outcomes.all.map(\.isSuccess) == [false])
            #expect(try await storage.record(id)?.status == (removes ? nil : .failed))
        }
    }

    @Test("args.error is 'file:line: text' where a string was raised, and the table where one was that can be stored")
    func errorValues() async throws {
        let lua = """
            job('text', { max_attempt = 1 }, function()
              error('no disk') end)
            job('table', { max_attempt = 1 }, function() error({ code = 7, why = { 'a' } }) end)
            job_errback('table', function(args) args.code = args.error.code end)
            job('function', { max_attempt = 1 }, function() error({ print }) end)
            job('lua', { max_attempt = 1 }, function(args) return args.missing.field end)
            """
        try await withNode(lua) { distributor in
            let text = try #require(try await distributor.outcome("text").args["error"]?.string)
            #expect(text.hasSuffix("jobs.lua:2: no disk"), "\(text)")
            let table = try await distributor.outcome("table").args
            #expect(table.value == ["error": ["code": 7, "why": ["a"]], "code": 7])
            let args = try await distributor.outcome("function").args["error"]?.string?.isEmpty
            #expect(args == false)
            let lua = try #require(try await distributor.outcome("lua").args["error"]?.string)
            #expect(lua.contains("jobs.lua:6: ") && lua.contains("missing"), "\(lua)")
        }
    }

    @Test("the traceback is kept in the job's record and the log", arguments: [false, true])
    func traceback(hasErrback: Bool) async throws {
        let storage = MemoryStorage()
        let log = LogRecorder()
        let lua = """
            local function inner() error('deep') end
            job('deep', { max_attempt = 1 }, function() inner() end)
            """ + (hasErrback ? "\njob_errback('deep', function() end)" : "")
        try await withNode(lua) {
            $0.storage = storage
            $0.logger = log.logger
        } _: { distributor in
            let outcome = try await distributor.outcome("deep")
            let traceback = try #require(try await storage.record(outcome.id)?.lastTraceback)
            #expect(traceback.contains("jobs.lua:1: in") && traceback.contains("jobs.lua:2: in"), "\(traceback)")
            let line = try #require(log.lines.elements.first { $0.metadata["id"] == outcome.id.description })
            #expect(line.level == .warning && line.text.hasSuffix("jobs.lua:1: deep"))
            #expect(line.metadata["traceback"] == traceback)
        }
    }

    @Test(
        "error(CancelJob) and cancel_job() in the job or a callback: no errback, success feedback with args as they stand"
    )
    func cancelInAStep() async throws {
        let lua = """
            job('raises', function(args) args.stands = true error(CancelJob) end)
            job('calls', function(args) args.stands = true cancel_job() args.never = true end)
            job('callback', function(args) args.body = true end)
            job_callback('callback', function(args) args.stands = true cancel_job() end)
            job_callback('callback', function(args) args.never = true end)
            for _, name in ipairs { 'raises', 'calls', 'callback' } do
              job_errback(name, function(args) args.errback = true end)
            end
            """
        let storage = MemoryStorage()
        try await withNode(lua) {
            $0.storage = storage
        } _: { distributor in
            for name in ["raises", "calls", "callback"] {
                let outcome = try await distributor.outcome(name)
                #expect(outcome.isSuccess && outcome.status == .cancelled, "\(name)")
                let expected: JSONValue = name == "callback" ? ["body": true, "stands": true] : ["stands": true]
                #expect(outcome.args.value == expected, "\(name)")
                #expect(try await storage.record(outcome.id) == nil)
            }
        }
    }

    @Test("in an errback: error feedback, no further attempt, and status 'cancelled'")
    func cancelInAnErrback() async throws {
        let storage = MemoryStorage()
        let lua = """
            job('breaks', function(args) error('no', 0) end)
            job_errback('breaks', function(args) args.stands = true error(CancelJob) end)
            job_errback('breaks', function(args) args.never = true end)
            """
        try await withNode(lua) {
            $0.storage = storage
            $0.policy.removeCancelledJobs = false
        } _: { distributor in
            let outcome = try await distributor.outcome("breaks")
            #expect(!outcome.isSuccess && outcome.status == .cancelled)
            #expect(outcome.args.value == ["stands": true, "error": "no"])
            #expect(try await storage.record(outcome.id)?.status == .cancelled)
        }
    }

    @Test("a cancelled job is removed when remove_cancelled_jobs", arguments: [true, false])
    func removesCancelled(removes: Bool) async throws {
        let storage = MemoryStorage()
        try await withNode("job('stops', function() cancel_job() end)") {
            $0.storage = storage
            $0.policy.removeCancelledJobs = removes
        } _: { distributor in
            let outcome = try await distributor.outcome("stops")
            #expect(try await storage.record(outcome.id)?.status == (removes ? nil : .cancelled))
        }
    }

    @Test("a script's pcall cannot swallow a cancellation: a cancelled job stays cancelled")
    func pcallCannotSwallow() async throws {
        let lua = """
            job('clings', function(args)
              pcall(cancel_job)
              pcall(error, CancelJob)
              args.went_on = true
            end)
            job_callback('clings', function(args) args.callback = true end)
            """
        try await withNode(lua) { distributor in
            let outcome = try await distributor.outcome("clings")
            #expect(outcome.status == .cancelled)
            #expect(outcome.args["callback"] == nil)
        }
    }
}
