-- Tests of nightly_report.lua, in the nights in which the clocks of Berlin change.

test('is made once in the night in which its time does not exist', function()
    fake.now(1774652400) -- 2026-03-28T00:00:00+01:00
    local outcomes = run_schedule('nightly_report', 47 * 3600)
    equal(#outcomes, 2)
    equal(outcomes[2].tick, 1774746000) -- 2026-03-29T03:00:00+02:00
    equal(outcomes[2].args.text, 'full report of 2026-03-28')
end)

test('is made once in the night in which its time comes twice', function()
    fake.now(1792879200) -- 2026-10-25T00:00:00+02:00
    equal(#run_schedule('nightly_report', 25 * 3600), 1)
end)
