-- Each job is woken by the host with a number, as often as it waits. `host.pause(n)` returns what it is woken with; a
-- job leaves in `args.r` what is expected of it.
local function pause(...) return host.pause(...) end

job('plain', function(args) args.r = pause() + pause() end) -- 1 + 2
job('steps', function(args) args.r = pause() end)
job_callback('steps', 'second', function(args) args.r = args.r * 10 + pause() end)
job('in_pcall', function(args) local ok, v = pcall(pause) args.r = ok and v end)
job('in_xpcall', function(args) local ok, v = xpcall(pause, print) args.r = ok and v end)
job('in_wrap', function(args)
  local co = coroutine.wrap(function(a) local b = coroutine.yield(a + pause()) return b + pause() end)
  args.r = co(10) -- 11
  args.r = args.r + co(100) -- + 102
end)
job('in_resume', function(args)
  local co = coroutine.create(function(a) return a + pause() end)
  local ok, v = coroutine.resume(co, 10)
  args.r = ok and v -- 11
  assert(coroutine.status(co) == 'dead')
end)
job('deep', function(args)
  local function nest(n)
    if n == 0 then return pause() end
    return coroutine.wrap(function() return nest(n - 1) end)()
  end
  args.r = nest(20) -- 1
end)
job('in_iterator', function(args)
  local sum = 0
  for v in function() local v = pause() if v < 4 then return v end end do sum = sum + v end
  args.r = sum -- 1 + 2 + 3
end)
job('in_index', function(args)
  local t = setmetatable({}, { __index = function() return pause() end, __add = function() return pause() end })
  args.r = t.x + (t + t) -- 1 + 2
end)
job('raises_after', function(args) pause() error('after', 0) end)
job_errback('raises_after', function(args) args.r = args.error .. pause() end) -- after2
job('host_raises', function(args) local ok, e = pcall(host.pause, 'raise') args.r = e end)
job('woken_with_error', function(args) local ok, e = pcall(pause, 'error') args.r = e end)
job('values', function(args)
  local a, b, c, d, e, f = pause('values')
  args.r = string.format('%s %s %s %s %s %s', tostring(a), tostring(b), math.type(c), d, e, f.k[2])
end)

-- What cannot pause.
local function said(f, ...) local ok, e = pcall(f, ...) return e end
job('in_sort', function(args) args.r = said(table.sort, { 2, 1 }, function(a, b) pause() return a < b end) end)
job('in_gsub', function(args) args.r = said(string.gsub, 'x', 'x', function() pause() end) end)
job('in_require', function(args)
  package.preload.pausing = function() pause() end
  args.r = said(require, 'pausing')
end)
job('in_tostring', function(args)
  args.r = said(tostring, setmetatable({}, { __tostring = function() pause() end }))
end)
job('in_sort_in_wrap', function(args)
  args.r = said(table.sort, { 2, 1 }, function(a, b) coroutine.wrap(pause)() return a < b end)
end)
job('in_close', function(args)
  args.r = said(function() local x <close> = setmetatable({}, { __close = function() pause() end }) error('x', 0) end)
end)
job('in_finalizer', function(args)
  local heard
  do setmetatable({}, { __gc = function() heard = said(pause) end }) end
  collectgarbage() collectgarbage()
  args.r = heard
end)
job('in_load', function(args) args.r = select(3, pcall(load, function() pause() end)) end)

-- Tasks.
job('tasks', function(args)
  local a = spawn(function(x) return x + pause() end, 10)
  local b = spawn(function() return pause(), 'more' end)
  args.r = table.concat({ wait(a), wait(b) }, ' ') -- 11 2 more
end)
job('not_awaited', function(args) spawn(function() pause() args.r = 'done' end) end)
job('unseen_error', function(args) spawn(function() pause() error('from a task', 0) end) end)
job_errback('unseen_error', function(args) args.r = args.error end)
job('seen_error', function(args)
  local t = spawn(function() pause() error({ code = 7 }) end)
  local ok, e = pcall(wait, t)
  args.r = e.code
end)
job('awaited_later', function(args)
  local t = spawn(function() error('early', 0) end)
  pause()
  args.r = select(2, pcall(wait, t))
end)
job('cancelled_task', function(args)
  local t = spawn(function()
    local x <close> = setmetatable({}, { __close = function() args.closed = true end })
    pause()
  end)
  local was = t:cancel()
  args.r = tostring(was) .. tostring(t:cancel()) .. t:status() .. tostring((wait(t))) .. tostring(args.closed)
end)
job('cancels_itself', function(args)
  local t
  t = spawn(function() pause() t:cancel() args.r = 'before' pause() args.r = 'never' end)
end)
job('many_waiters', function(args)
  local t = spawn(function() return pause() end)
  local sum = 0
  for _ = 1, 5 do spawn(function() local v = wait(t) sum = sum + v end) end
  wait(t)
  pause()
  args.r = sum -- 5
end)
job('own_wait', function(args)
  local t
  t = spawn(function() pause() args.r = said(wait, t) end)
end)
job('cycle', function(args)
  local a, b
  a = spawn(function() pause() return wait(b) end)
  b = spawn(function() pause() return wait(a) end)
  args.r = said(wait, b) .. said(wait, a)
end)
job('cancel_in_task', function(args) args.r = 1 spawn(function() pause() cancel_job() end) pause() args.r = 2 end)
job('nested_tasks', function(args)
  args.r = wait(spawn(function() return wait(spawn(function() return pause() end)) + pause() end)) -- 1 + 2
end)
job('daemon', function(args)
  spawn_daemon(function() while true do pause('daemon') end end)
  args.r = pause() -- 2
end)
job('held', function(args)
  local inner = coroutine.create(function() return pause() end)
  local t = spawn(function() return select(2, coroutine.resume(inner)) end)
  local ok, e = coroutine.resume(inner)
  local closed, why = pcall(coroutine.close, inner)
  args.r = tostring(ok) .. ': ' .. e .. ', ' .. why .. ', ' .. tostring(wait(t))
end)
job('task_of_another', function(args) kept = spawn(function() pause() end) args.r = 1 end)
job('task_argument', function(args) args.r = said(wait, 1) .. said(wait, io.stdout) .. said(spawn, 1) end)
job('traceback', function(args)
  local inner = coroutine.wrap(function() pause() error('deep') end)
  wait(spawn(function() inner() end))
end)
job('resumes_host', function(args)
  local main, r = coroutine.running(), {}
  local function try(co)
    r[#r + 1] = select(2, coroutine.resume(co, 'x'))
    r[#r + 1] = said(coroutine.close, co)
    r[#r + 1] = tostring(coroutine.isyieldable(co))
  end
  local task
  spawn(function() pause() try(main) try(task) coroutine.wrap(try)(main) end)
  local t = spawn(function() task = coroutine.running() pause() pause() return 'done' end)
  pause()
  assert(wait(t) == 'done' and #r == 9)
  args.r = table.concat(r, '; ')
end)
