-- Tests of the jobs in flaky.lua. `jobreactor test` runs them: in the state of a node, with time standing still, so
-- that the waits between attempts take none.

-- A file of its own for each test; `path` names it.
local function with_file(text, body)
    local path = os.tmpname()
    local file <close> = io.open(path, 'w')
    file:write(text)
    file:flush()
    body(path)
    os.remove(path)
end

test('imports what is there', function()
    with_file('{"item": "tea", "pieces": 2}', function(path)
        local outcome = run('import_file', { path = path })
        equal(outcome.status, 'complete')
        equal(outcome.args.order, { item = 'tea', pieces = 2 })
        equal(outcome.args.result, 'imported after 0 failed attempts')
    end)
end)

test('tries again while the file is not there', function()
    local outcome = run_until_done('import_file', { path = '/nowhere/order.json' })
    equal(outcome.status, 'failed')
    equal(outcome.args.failures, 4)
end)

test('does not try again with wrong arguments', function()
    local outcome = run('import_file', {})
    equal(outcome.status, 'cancelled')
    equal(outcome.args.advice, 'import_file needs path=FILE')
end)
