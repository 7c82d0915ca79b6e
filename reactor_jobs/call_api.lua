-- Calls of somebody else's API, which takes only so many from each account.
--
--     jobreactor enqueue call_api account=7 url=https://api.example.org/orders/1 --wait
--
-- in   account   whose calls count together
--      url       what is asked for; without one nothing is
-- out  status    of the response

job('call_api', {
    -- Two calls at once and 100 a minute, for each account. Calls of one account do not hold up those of another,
    -- however many wait.
    limit = { key = 'account', concurrency = 2, rate = 100, per = 60 },
    backoff = 'exponential', jitter = 0.5,
}, function(args)
    if not args.account then error('call_api needs an account') end
    if not args.url then return end
    args.status = http.get(args.url).status
end)
