/// A job to start from, with its test.
struct JobTemplate: Sendable {
    let name: String

    var script: String {
        """
        -- Run it while you write it:   jobreactor run \(name) name=Ada
        -- Run its tests:               jobreactor test

        job('\(name)', { max_attempt = 5 }, function(args)
            if not args.name then error('\(name) needs a name') end
            -- What stands in args at the end goes back to the application.
            args.greeting = 'Hello, ' .. args.name .. '!'
        end)

        -- After the job, when it and all callbacks before this one were good; on the same args.
        job_callback('\(name)', 'tell', function(args)
            log.info(args.greeting)
        end)

        -- When one of them raised: args as they were before the run, and args.error. The job is tried again, up to five times.
        job_errback('\(name)', function(args)
            log.warn('\(name) failed:', args.error)
            -- What would not go better another time is not tried again.
            if not args.name then cancel_job() end
        end)

        """
    }

    var test: String {
        """
        -- What reaches out of the job is faked in a test: fake.http, fake.exec, fake.redis, fake.perform, fake.now.

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
