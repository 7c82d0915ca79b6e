-- Work that fails now and then: retries, errbacks, and knowing when to give up.
--
-- 'import_file' reads a JSON file that some other program writes. The file may not be there yet, or be half written;
-- both are worth another try in a moment.
--
--     jobreactor enqueue import_file path=/tmp/order.json --wait
--     echo '{"item": "tea", "pieces": 2}' > /tmp/order.json

-- Without the table in the middle the node's own policy holds: 10 attempts, waiting 5 seconds longer each time.
-- Here: 4 attempts, and 0.2, 0.4 and 0.6 seconds between them.
job('import_file', { max_attempt = 4, retry_multiplier = 0.2 }, function(args)
    if type(args.path) ~= 'string' then
        -- A table can be raised as well as a text: errbacks and the application get it as it is.
        error({ code = 'bad_arguments', message = 'import_file needs path=FILE' })
    end

    local file, problem = io.open(args.path, 'r')
    if not file then
        -- Raising anything ends this attempt, and the node tries again later.
        error('not there yet: ' .. problem)
    end
    local text = file:read('a')
    file:close()

    -- Raises too when the text is not JSON, for instance because half of it is still missing.
    local order = json.decode(text)

    if order.withdrawn then
        -- Nothing is wrong, there is just nothing left to do. The application gets its success feedback with the args
        -- as they stand now; the callback below does not run.
        args.result = 'withdrawn'
        cancel_job()
    end
    args.order = order
end)

-- Runs after the job, and only when it went well.
job_callback('import_file', 'thank', function(args)
    args.result = 'imported after ' .. (args.failures or 0) .. ' failed attempts'
end)

-- Runs after each failed attempt, not just the last. It sees the args as they were before that attempt, and
-- `args.error`. What it adds is kept: the next attempt sees it, and in the end so does the application.
job_errback('import_file', 'count', function(args)
    args.failures = (args.failures or 0) + 1
    local error_text = type(args.error) == 'table' and args.error.message or args.error
    log.info('attempt ' .. args.failures .. ' failed: ' .. error_text)
end)

-- The next errback. Trying again does not mend wrong arguments, so this ends the job: the application gets its error
-- feedback.
job_errback('import_file', 'give_up', function(args)
    if type(args.error) == 'table' and args.error.code == 'bad_arguments' then
        args.advice = args.error.message
        cancel_job()    -- the same as error(CancelJob)
    end
end)
