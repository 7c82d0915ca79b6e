-- A periodic job: enqueue it with a period, and it runs again that many seconds after each run has ended.
--
--     jobreactor enqueue countdown from=3 --period 1
--
-- Its args are kept from one run to the next, so it can remember where it was. It runs until it cancels itself.

job('countdown', function(args)
    args.from = args.from or 10
    if args.from == 0 then
        print('Lift-off!')
        cancel_job()    -- ends the job for good, and this run at once: what follows does not happen
    end
    print(args.from .. ' ...')
    args.from = args.from - 1
end)
