-- Each job here must succeed: what scripts can rely on.

local function good(name, body) job('good_' .. name, function() body() end) end

local function fails(text, f, ...)
  local ok, message = pcall(f, ...)
  assert(not ok, 'expected an error')
  assert(string.find(tostring(message), text, 1, true), message)
end

good('pcall', function()
  local function pack(...) return select('#', ...), ... end
  local n, ok, a, b, c = pack(pcall(function(...) return ... end, 1, nil, 3))
  assert(n == 4 and ok == true and a == 1 and b == nil and c == 3)
  assert(select('#', pcall(function() end)) == 1)
  local ok, e = pcall(error, {code = 5})
  assert(ok == false and e.code == 5)
  assert(select('#', pcall(error)) == 2)
  local ok, e = pcall(error, nil)
  assert(ok == false and e == nil)
  fails("bad argument #1 to 'pcall' (value expected)", function() pcall() end)
  local ok, e = pcall(nil)
  assert(not ok and e == 'attempt to call a nil value')
  assert(select('#', pcall(table.unpack, {}, 1, 200)) == 201)
end)

good('pcall_across_yield', function()
  local c = coroutine.create(function(...)
    local ok, x = pcall(function(...) return coroutine.yield(...) + 1 end, ...)
    assert(ok and x == 6)
    local ok, e = pcall(function() coroutine.yield('again') error('late', 0) end)
    assert(not ok and e == 'late')
    local ok, x, y = xpcall(function(a) return coroutine.yield(a), 'y' end, debug.traceback, 'x')
    assert(ok and x == 'in' and y == 'y')
    local ok, e = xpcall(function() coroutine.yield() error('E', 0) end, function(e) return e .. '!' end)
    assert(not ok and e == 'E!')
    return 'end'
  end)
  local function step(expected, ...)
    local ok, value = coroutine.resume(c, ...)
    assert(ok, value)
    assert(value == expected, value)
  end
  step(1, 1)
  step('again', 5)
  step('x')
  step(nil, 'in')
  step('end')
  assert(coroutine.status(c) == 'dead')
  local ok, e = coroutine.resume(c)
  assert(not ok and e == 'cannot resume dead coroutine')
end)

good('xpcall', function()
  local ok, a, b = xpcall(function(...) return ... end, error, 1, 2)
  assert(ok and a == 1 and b == 2)
  local ok, e = xpcall(error, function(e) return 'handled ' .. e end, 'x')
  assert(not ok and e == 'handled x')
  fails("bad argument #2 to 'xpcall' (function expected, got no value)", function() xpcall(print) end)
  local _, trace = xpcall(function() error('x') end, debug.traceback)
  assert(trace:find('stack traceback', 1, true))
end)

good('traceback', function()
  local inner = load('return function(f) return (f()) end', '=[inner]')()
  local _, trace = xpcall(inner, debug.traceback, function() error('x') end)
  local folded = trace:find('[JobReactor]: in ?\n\t[C]: in function \'xpcall\'', 1, true)
  assert(folded and not trace:find('[inner]', 1, true), trace)
  local _, e = xpcall(inner, function(e) return e end, 7)
  assert(e:find('environment%.lua:%d+: attempt to call'), e)
  local _, line = xpcall(function() local none; none() end, function() return debug.getinfo(2, 'l').currentline end)
  assert(line == debug.getinfo(1, 'l').currentline - 1, line)
  local t = {}
  assert(debug.traceback(t) == t and debug.traceback():find('^stack traceback:\n\t[^\n]*environment%.lua:%d+: in '))
  assert(debug.traceback('m', 1):find('^m\nstack traceback:\n\t[^\n]*environment%.lua:%d+: in '))
  local c = coroutine.create(function() coroutine.yield() end)
  coroutine.resume(c)
  assert(debug.traceback(c, 5):find('^5\nstack traceback:\n\t%[C%]: in function \'coroutine.yield\'\n'))
end)

good('error', function()
  local _, e = pcall(function() error('x') end)
  assert(e:find('^.*scripts/environment%.lua:%d+: x$'), e)
  local _, e = pcall(function() error('x', 0) end)
  assert(e == 'x')
  local function raises() error('x', 2) end
  local line = debug.getinfo(1, 'l').currentline + 1
  local _, e = pcall(function() raises() end)
  assert(e:find(':' .. line .. ': x', 1, true), e)
  local _, e = pcall(function() error(5) end)
  assert(e == 5 and math.type(e) == 'integer')
  local _, e = pcall(function() error('x', 50) end)
  assert(e == 'x')
end)

good('coroutines', function()
  local c = coroutine.create(function(a, b) local d = coroutine.yield(a + b) return d, nil, 7 end)
  local ok, x = coroutine.resume(c, 1, 2)
  assert(ok and x == 3)
  local ok, p, q, r = coroutine.resume(c, 'd')
  assert(ok and p == 'd' and q == nil and r == 7)
  fails("bad argument #1 to 'resume' (coroutine expected", function() coroutine.resume(5) end)
  fails("bad argument #1 to 'close' (coroutine expected", function() coroutine.close(5) end)
  local c = coroutine.create(function() error('inside', 0) end)
  local ok, e = coroutine.resume(c)
  assert(not ok and e == 'inside')
  local ok, e = coroutine.close(c)
  assert(not ok and e == 'inside')
  local c = coroutine.create(function() coroutine.yield() end)
  coroutine.resume(c)
  assert(coroutine.close(c) == true)
  local ok, e = coroutine.resume(coroutine.running())
  assert(not ok and e == 'cannot resume non-suspended coroutine')
  local n = 0
  for x in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i) end end) do n = n + x end
  assert(n == 6)
end)

-- The coroutine of a job is used again for others: a script that kept it can do nothing with it.
local kept
good('keeps_its_coroutine', function() kept = coroutine.running() end)
good('uses_a_kept_coroutine', function()
  assert(kept, 'jobs run in another order')
  local ok = coroutine.resume(kept, print, 1)
  assert(not ok)
  pcall(coroutine.close, kept)
end)

good('load', function()
  assert(load('return 1 + 1')() == 2)
  assert(load('return x', 'name', 't', {x = 5})() == 5)
  assert(load('return x', 'name', nil, {x = 5})() == 5)
  local pieces = {'return ', '7'}
  assert(load(function() return table.remove(pieces, 1) end)() == 7)
  local f, e = load('x x', '=name')
  assert(f == nil and e == "name:1: syntax error near 'x'")
  local f, e = load('\27Lua', 'name', 'b')
  assert(f == nil and e:find('attempt to load a binary chunk', 1, true), e)
  local f, e = load('\27Lua')
  assert(f == nil and e:find('attempt to load a binary chunk', 1, true), e)
  local refused = "attempt to load a text chunk (mode is 'b')"
  local f, e = load('return 1', 'name', 'b')
  assert(f == nil and e == refused, e)
  local f, e = load('x x', 'name', 'b')
  assert(f == nil and e == refused, e)
  local pieces = {'return 7'}
  local f, e = load(function() return table.remove(pieces, 1) end, 'name', 'b')
  assert(f == nil and e == refused, e)
  assert(load('return 1', 'name', 'bt')() == 1)
  fails("bad argument #1 to 'load' (function expected", function() load(nil) end)
  assert(not pcall(load, 'x', {}))
end)

good('files', function()
  local name = os.tmpname()
  local function write(text) local f = assert(io.open(name, 'wb')) f:write(text) f:close() end
  write('local a = ... return x, 5')
  assert(loadfile(name, 't', {x = 3})() == 3)
  assert(select(2, loadfile(name)()) == 5)
  assert(select(2, dofile(name)) == 5)
  local f, e = loadfile(name, 'b')
  assert(f == nil and e == "attempt to load a text chunk (mode is 'b')", e)
  assert(loadfile(name, 'bt'))
  write('\27Lua')
  local f, e = loadfile(name, 'b')
  assert(f == nil and e:find('attempt to load a binary chunk', 1, true), e)
  fails('attempt to load a binary chunk', dofile, name)
  os.remove(name)
  assert(loadfile(name) == nil)
  fails('cannot open', dofile, name)
end)

good('removed', function()
  fails('os.exit is not available in a job: it would end the node', os.exit)
  fails('os.exit is not available in a job: it would end the node', function() os.exit(true, true) end)
  assert(os.setlocale == nil)
  assert(string.dump == nil and ('x').dump == nil)
  local names = {}
  for name in pairs(debug) do names[#names + 1] = name end
  table.sort(names)
  assert(table.concat(names, ' ') == 'gethook getinfo getlocal getmetatable getupvalue setmetatable setupvalue ' ..
    'traceback upvalueid upvaluejoin')
  assert(require('debug') == debug)
  assert(package.loadlib and collectgarbage('count') > 0)
end)

good('yield', function()
  local ok, e = pcall(coroutine.yield)
  assert(not ok and e:find('a job cannot yield: coroutine.yield outside a coroutine of your own', 1, true), e)
  assert(not coroutine.isyieldable() and not coroutine.isyieldable(coroutine.running()))
  assert(coroutine.wrap(function() return coroutine.isyieldable() end)())
  local c = coroutine.create(function() end)
  assert(coroutine.isyieldable(c))
end)

good('upvalues', function()
  local a, b = 1, 2
  local function f() return a, b end
  local function g() return b end
  local name, value = debug.getupvalue(f, 1)
  assert(name == 'a' and value == 1 and select('#', debug.getupvalue(f, 3)) == 0)
  assert(debug.setupvalue(f, 1, 7) == 'a' and a == 7 and debug.setupvalue(f, 3, 7) == nil)
  assert(debug.upvalueid(f, 2) == debug.upvalueid(g, 1) and debug.upvalueid(f, 1) ~= debug.upvalueid(g, 1))
  assert(tostring(debug.upvalueid(f, 1)):find('^userdata: ') and tostring(json.null) == 'null')
  assert(not debug.upvalueid(f, 3))
  debug.upvaluejoin(g, 1, f, 1)
  assert(g() == 7)
  -- How environments are set without setfenv.
  local env = { x = 5 }
  local chunk = load('return x')
  assert(debug.getupvalue(chunk, 1) == '_ENV')
  debug.upvaluejoin(chunk, 1, function() return env end, 1)
  assert(chunk() == 5)
  -- What is behind C functions stays there: Lua's own load, which takes bytecode, and a coroutine that nothing else may
  -- be.
  for _, guard in ipairs({ load, coroutine.wrap(function() end), require, pcall, print }) do
    assert(select('#', debug.getupvalue(guard, 1)) == 0 and select('#', debug.setupvalue(guard, 1, f)) == 0)
    assert(not debug.upvalueid(guard, 1))
    fails('function of a script expected', debug.upvaluejoin, guard, 1, f, 1)
    fails('function of a script expected', debug.upvaluejoin, f, 1, guard, 1)
  end
  fails('number expected', debug.getupvalue, f)
  fails('function expected', debug.getupvalue, 5, 1)
  fails('invalid upvalue index', debug.upvaluejoin, f, 9, f, 1)
  fails('invalid upvalue index', debug.upvaluejoin, f, 1, f, 0)
end)

good('metatables', function()
  local mt = {}
  assert(debug.getmetatable(setmetatable({}, mt)) == mt and debug.getmetatable({}) == nil)
  assert(debug.getmetatable('').__index == string)
  for _, guarded in ipairs({ json.null, json.array(), CancelJob, setmetatable({}, { __metatable = false }) }) do
    assert(debug.getmetatable(guarded) == nil)
  end
  local t = {}
  assert(debug.setmetatable(t, mt) == t and getmetatable(t) == mt)
  fails('cannot change a protected metatable', debug.setmetatable, json.array(), {})
  fails('table expected', debug.setmetatable, '', {})
end)

good('sentinel', function()
  assert(tostring(CancelJob) == 'CancelJob')
  assert(getmetatable(CancelJob) == 'CancelJob')
  fails('', setmetatable, CancelJob, {})
end)

good('modules', function()
  assert(require('plain').name == 'plain')
  assert(require('plain') == require('plain'))
  assert(require('folder').name == 'folder/init')
  assert(require('folder.inner').name == 'folder/inner')
  fails("module 'missing' not found:", require, 'missing')
  fails("no file '", require, 'missing')
  fails("error loading module 'broken' from file '", require, 'broken')
  fails("attempt to load a binary chunk", require, 'compiled')
  package.path = nil
  fails("'package.path' must be a string", require, 'missing')
  package.path = ''
end)
