-- A report each night, by the clock of the people who read it.
--
--     jobreactor schedules preview '30 2 * * *' --timezone Europe/Berlin
--     jobreactor run nightly_report kind=short
--
-- in   kind   'full' or 'short'
-- out  day    the day of the report, which is the one before the tick
--      text   the report

local DAY = 24 * 60 * 60

job('nightly_report', function(args)
    -- Run by hand there is no tick, and now is as good.
    local tick = math.floor(job.tick or now())
    args.day = os.date('!%Y-%m-%d', tick - DAY)
    args.text = ('%s report of %s'):format(args.kind or 'full', args.day)
    print(args.text)
end)

-- The clocks of Berlin jump over 02:30 one night of the year: then the report is made when they have jumped. In the
-- night in which that time comes twice, it is made once.
schedule('nightly_report', '30 2 * * *', { timezone = 'Europe/Berlin', catch_up = 'last' },
    'nightly_report', { kind = 'full' })
