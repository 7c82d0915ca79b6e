/// A job to start from, with its test.
struct JobTemplate: Sendable {
    let name: String

    var script: String {
        """
        -- Run it while you write it:   jobreactor run \(name) name=Ada
        -- Run its tests:               jobreactor test

        job('\(name)', { max_attempt = 5 }, function(args)
            if not args.name then error('\(name) needs a name') end
            -- The content of args at the end is returned to the application.
            args.greeting = 'Hello, ' .. args.name .. '!'
        end)

        -- Runs after the job and earlier callbacks, if all of them succeeded; on the same args.
        job_callback('\(name)', 'tell', function(args)
            log.info(args.greeting)
        end)

        -- Runs when one of them raised an error: args from before the run, and args.error. The job gets up to five attempts.
        job_errback('\(name)', function(args)
            log.warn('\(name) failed:', args.error)
            -- Do not retry if a retry cannot succeed.
            if not args.name then cancel_job() end
        end)

        """
    }

    var test: String {
        """
        -- Tests replace everything outside the job by fakes: fake.http, fake.exec, fake.redis, fake.perform, fake.now.

        test('\(name) greets by name', function()
            local outcome = run('\(name)', { name = 'Ada' })
            equal(outcome.status, 'complete')
            equal(outcome.args, { name = 'Ada', greeting = 'Hello, Ada!' })
            equal(outcome.log, { 'Hello, Ada!' })
        end)

        test('\(name) is not tried again without a name', function()
            local outcome = run('\(name)', {})
            equal(outcome.status, 'cancelled')
            assert(outcome.error:find('needs a name'))
        end)

        """
    }
}
