-- What test scripts find beside what job scripts do: test, fake, run, run_until_done and equal. `host` has:
--
--   add_test(title) -> number               a test that the script which is being loaded has
--   run_job(name, args, attempt, schedule, tick) -> table
--                                           one run of a job with its callbacks or errbacks, in this state, of args in
--                                           JSON; its status, args, error, retry_in, log and so on
--   ticks(schedule, from, to) -> table      the job and the args of a schedule, and the times at which it is due
--
-- What reaches out of the process is replaced before any script is loaded, so that scripts which keep such functions in
-- locals get the replacements too.
local host = ...
local error, getmetatable, ipairs, next, pairs, pcall, rawequal, select, setmetatable, tostring, type, xpcall =
  error, getmetatable, ipairs, next, pairs, pcall, rawequal, select, setmetatable, tostring, type, xpcall
local concat, pack, sort, unpack = table.concat, table.pack, table.sort, table.unpack
local find, format, gsub, lower, rep, sub, upper = string.find, string.format, string.gsub, string.lower, string.rep,
  string.sub, string.upper
local floor, max, mathtype = math.floor, math.max, math.type
local getinfo = debug.getinfo
local decode, encode = json.decode, json.encode
local job, spawn = job, spawn

-- The test that runs, or ran last; nil while scripts load.
local current
-- The run of a job that it has started.
local recording

-- Errors

-- `file:line: ` of the nearest calling script, of the nearest in that file when one is given; and the same as Lua's own
-- errors have it, which cut long paths.
local function place(file)
  local level = 2
  while true do
    local info = getinfo(level, 'Sl')
    if not info then return '', '' end
    if sub(info.source, 1, 1) == '@' and (not file or info.source == file) then
      local line = ':' .. info.currentline .. ': '
      return sub(info.source, 2) .. line, info.short_src .. line
    end
    level = level + 1
  end
end

local function raise(text)
  local where = place()
  error(where .. text, 0)
end

local function check_type(word, what, value, expected)
  if type(value) ~= expected then raise(word .. ': expected ' .. what .. ', got ' .. type(value)) end
  return value
end

-- As JSON would bring it to another process.
local function copy(value)
  if type(value) ~= 'table' then return value end
  if next(value) == nil and getmetatable(value) == nil then return {} end
  return decode(encode(value))
end

local function json_object(args)
  if args == nil or next(args) == nil then return '{}' end
  return encode(args)
end

-- Values as text

local function is_name(key) return type(key) == 'string' and find(key, '^[%a_][%w_]*$') ~= nil end

local function quoted(text)
  return "'" .. gsub(gsub(text, "[\\']", '\\%0'), '%c', { ['\n'] = '\\n', ['\t'] = '\\t', ['\r'] = '\\r' }) .. "'"
end

local function sorted_keys(value)
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = key end
  sort(keys, function(a, b)
    if type(a) == type(b) and (type(a) == 'number' or type(a) == 'string') then return a < b end
    if type(a) ~= type(b) then return type(a) < type(b) end
    return tostring(a) < tostring(b)
  end)
  return keys
end

local function show(value, depth)
  if type(value) == 'string' then return quoted(value) end
  if type(value) ~= 'table' then return tostring(value) end
  if next(value) == nil then return '{}' end
  depth = depth or 1
  if depth > 4 then return '{ … }' end
  local parts = {}
  for i, key in ipairs(sorted_keys(value)) do
    if i > 20 then
      parts[i] = '…'
      break
    end
    local text = show(value[key], depth + 1)
    if mathtype(key) == 'integer' and key == i then
      parts[i] = text
    else
      parts[i] = (is_name(key) and key or '[' .. show(key) .. ']') .. ' = ' .. text
    end
  end
  return '{ ' .. concat(parts, ', ') .. ' }'
end

-- equal

local MOST_DIFFERENCES = 10

local function path_of(path, key)
  if is_name(key) then return path .. '.' .. key end
  return path .. '[' .. show(key) .. ']'
end

-- Long texts from shortly before where they begin to differ.
local function show_texts(got, expected)
  if #got <= 60 and #expected <= 60 then return quoted(got), quoted(expected), '' end
  local at = 1
  while at <= #got and sub(got, at, at) == sub(expected, at, at) do at = at + 1 end
  local from = max(1, at - 20)
  local function part(text)
    return (from > 1 and '…' or '') .. quoted(sub(text, from, from + 59)) .. (#text > from + 59 and '…' or '')
  end
  return part(got), part(expected), ' (they differ from byte ' .. at .. ' on)'
end

local compare

local function compare_tables(got, expected, path, differences, seen)
  if seen[got] == expected then return end
  seen[got] = expected
  local keys = {}
  for key in pairs(got) do keys[key] = true end
  for key in pairs(expected) do keys[key] = true end
  for _, key in ipairs(sorted_keys(keys)) do
    compare(got[key], expected[key], path_of(path, key), differences, seen)
  end
end

function compare(got, expected, path, differences, seen)
  if rawequal(got, expected) or got == expected then return end
  -- NaN is no difference to NaN.
  if got ~= got and expected ~= expected then return end
  if type(got) == 'table' and type(expected) == 'table' then
    return compare_tables(got, expected, path, differences, seen)
  end
  local got_text, expected_text, note
  if type(got) == 'string' and type(expected) == 'string' then
    got_text, expected_text, note = show_texts(got, expected)
  else
    got_text, expected_text, note = show(got), show(expected), ''
  end
  differences[#differences + 1] = (path == '' and '' or path .. ': ') .. 'got ' .. got_text .. ', expected '
    .. expected_text .. note
end

function equal(got, expected)
  local differences = {}
  compare(got, expected, '', differences, {})
  if #differences == 0 then return end
  local more = #differences - MOST_DIFFERENCES
  local text = concat(differences, '\n', 1, more > 0 and MOST_DIFFERENCES or #differences)
  if more > 0 then text = text .. '\n… and ' .. more .. ' more' end
  raise('not equal' .. (find(text, '\n', 1, true) and ':\n' or ': ') .. text)
end

-- Time

local real_now, real_sleep, real_after, real_every = now, sleep, after, every
local real_time, real_date = os.time, os.date

local function is_time_faked() return current ~= nil and (current.has_clock or not current.is_open) end

local function check_seconds(word, seconds)
  -- False for NaN as well.
  if type(seconds) ~= 'number' or not (seconds >= 0 and seconds <= 1e9) then
    raise(word .. ': expected seconds from 0 to 1e9, got ' .. (type(seconds) == 'number' and seconds or type(seconds)))
  end
  return seconds
end

local function fall_asleep(seconds)
  current.last_sleeper = current.last_sleeper + 1
  local sleeper = { due = current.clock + seconds, number = current.last_sleeper }
  current.sleepers[sleeper] = true
  return sleeper
end

local function is_first_to_wake(sleeper)
  for other in pairs(current.sleepers) do
    local is_before = other.due < sleeper.due or other.due == sleeper.due and other.number < sleeper.number
    if is_before and not (other.task and other.task:status() ~= 'running') then return false end
  end
  return true
end

-- What sleeps wakes in the order of the times that it sleeps to, and moves the clock there.
local function sleep_on(sleeper)
  local sleepers = current.sleepers
  -- One that is cancelled while it sleeps must not keep the others asleep.
  local leave <close> = setmetatable({}, { __close = function() sleepers[sleeper] = nil end })
  repeat real_sleep(0) until is_first_to_wake(sleeper)
  current.clock = max(current.clock, sleeper.due)
end

function now()
  if not is_time_faked() then return real_now() end
  return current.clock
end

function sleep(seconds)
  if not is_time_faked() then return real_sleep(seconds) end
  sleep_on(fall_asleep(check_seconds('sleep', seconds)))
end

function after(seconds, fn, ...)
  if not is_time_faked() then return real_after(seconds, fn, ...) end
  check_seconds('after', seconds)
  check_type('after', 'a function', fn, 'function')
  return spawn(function(...)
    sleep(seconds)
    return fn(...)
  end, ...)
end

function every(seconds, fn, ...)
  if not is_time_faked() then return real_every(seconds, fn, ...) end
  if check_seconds('every', seconds) < 0.001 then raise('every: expected at least 0.001 seconds, got ' .. seconds) end
  check_type('every', 'a function', fn, 'function')
  local arguments = pack(...)
  local sleeper = fall_asleep(seconds)
  -- The real one, for tasks that end with their step. It is asleep already while this still waits for its own first
  -- time.
  sleeper.task = real_every(0.001, function()
    while true do
      sleep_on(sleeper)
      fn(unpack(arguments, 1, arguments.n))
      sleeper = fall_asleep(max(0, sleeper.due + seconds - current.clock))
    end
  end)
  return sleeper.task
end

function os.time(date)
  if date ~= nil or not is_time_faked() then return real_time(date) end
  return floor(current.clock)
end

function os.date(text, time)
  if time == nil and is_time_faked() then time = floor(current.clock) end
  return real_date(text, time)
end

-- Fakes

local function check_test(word)
  if not current then raise(word .. ' can only be called in a test') end
end

fake = {}

local function fake_of(word)
  fake[word] = function(fn)
    check_test('fake.' .. word)
    current.fakes[word] = check_type('fake.' .. word, 'a function', fn, 'function')
  end
end

for _, word in ipairs { 'http', 'exec', 'redis' } do fake_of(word) end

function fake.perform(name, fn)
  check_test('fake.perform')
  check_type('fake.perform', "a job's name", name, 'string')
  current.performs[name] = check_type('fake.perform', 'a function', fn, 'function')
end

function fake.now(seconds)
  check_test('fake.now')
  -- A float, as the real one.
  current.clock = check_type('fake.now', 'seconds since 1970', seconds, 'number') + 0.0
  current.has_clock = true
end

function fake.none()
  check_test('fake.none')
  current.is_open = true
end

-- The fake of that kind; nil for the real one; an error where neither may be had.
local function find_fake(word, call, signature)
  if not current then return nil end
  local fn = current.fakes[word]
  if not fn and not current.is_open then
    local advice = 'say what it answers with fake.%s(function(%s) … end), or let the test out with fake.none()'
    raise(call .. ' in a test: ' .. format(advice, word, signature))
  end
  return fn
end

local function check_answer(word, answer)
  if type(answer) ~= 'table' then
    raise('fake.' .. word .. ': its function must return a table, got ' .. type(answer))
  end
  return answer
end

local function with_defaults(values, defaults)
  for key, value in pairs(defaults) do
    if values[key] == nil then values[key] = value end
  end
  return values
end

local function missing(word)
  return function() raise(word .. ' is not available: this program has no such library') end
end

local function shallow(values)
  local copied = {}
  for key, value in pairs(values or {}) do copied[key] = value end
  return copied
end

-- http

local real_http = http or { request = missing('http') }
http = shallow(real_http)

local response = { __index = { json = function(self) return decode(self.body) end } }

local function lower_names(headers)
  local lowered = {}
  for name, value in pairs(headers or {}) do lowered[lower(name)] = value end
  return lowered
end

local function request_with(fn, options)
  local request = shallow(options)
  request.method = upper(request.method or 'GET')
  request.headers = lower_names(request.headers)
  if request.json ~= nil and request.body == nil then
    request.body = encode(request.json)
    request.headers['content-type'] = request.headers['content-type'] or 'application/json'
  end
  local answer = shallow(check_answer('http', fn(request)))
  if answer.json ~= nil and answer.body == nil then answer.body, answer.json = encode(answer.json), nil end
  answer.headers = lower_names(answer.headers)
  with_defaults(answer, { status = 200, body = '', url = request.url })
  return setmetatable(answer, response)
end

local function call_of(word, url) return 'http.' .. word .. "('" .. tostring(url) .. "')" end

function http.request(options)
  check_type('http.request', 'a table of options', options, 'table')
  local fn = find_fake('http', call_of('request', options.url), 'request')
  if fn then return request_with(fn, options) end
  return real_http.request(options)
end

function http.get(url, options)
  local fn = find_fake('http', call_of('get', url), 'request')
  if not fn then return (real_http.get or real_http.request)(url, options) end
  return request_with(fn, with_defaults({ url = check_type('http.get', 'a url', url, 'string'), method = 'GET' },
    options or {}))
end

function http.post(url, body, options)
  local fn = find_fake('http', call_of('post', url), 'request')
  if not fn then return (real_http.post or real_http.request)(url, body, options) end
  return request_with(fn, with_defaults({ url = check_type('http.post', 'a url', url, 'string'), method = 'POST',
    body = body }, options or {}))
end

-- exec

local real_exec = exec or missing('exec')

-- The arguments of a call as a list, and last the options, when there are some.
local function exec_arguments(program, ...)
  if type(program) ~= 'table' then return pack(program, ...) end
  local arguments, options = { n = 0 }, {}
  for key, value in pairs(program) do
    if mathtype(key) == 'integer' then
      arguments[key] = value
      arguments.n = max(arguments.n, key)
    else
      options[key] = value
    end
  end
  if next(options) ~= nil then
    arguments.n = arguments.n + 1
    arguments[arguments.n] = options
  end
  return arguments
end

function exec(program, ...)
  local arguments = exec_arguments(program, ...)
  local fn = find_fake('exec', "exec('" .. tostring(arguments[1]) .. "')", 'program, ...')
  if not fn then return real_exec(program, ...) end
  local answer = shallow(check_answer('exec', fn(unpack(arguments, 1, arguments.n))))
  return with_defaults(answer, { status = 0, stdout = '', stderr = '' })
end

-- redis

local real_redis = redis or { connect = missing('redis') }
redis = shallow(real_redis)

local connection = {}
connection.__index = connection

function connection:call(command, ...)
  if self.is_closed then raise('redis: the connection is closed') end
  check_type('connection:call', 'a command', command, 'string')
  local fn = find_fake('redis', "connection:call('" .. command .. "')", 'command, ...')
  if not fn then raise('redis: the connection is the fake of a test before this one') end
  return fn(command, ...)
end

function connection:close() self.is_closed = true end

function redis.connect(url)
  local fn = find_fake('redis', 'redis.connect()', 'command, ...')
  if not fn then return real_redis.connect(url) end
  return setmetatable({ url = url }, connection)
end

-- Other jobs

local real_enqueue = enqueue

local function record(item)
  local args, options = item[2] or item.args, item[3] or item.options
  recording.enqueued[#recording.enqueued + 1] = {
    name = item[1] or item.name,
    args = copy(args or {}),
    options = copy(options),
  }
end

function enqueue(name, args, options, success, failure)
  if not current then return real_enqueue(name, args, options, success, failure) end
  if not recording then raise("enqueue: there is no node in a test: run('name', args) runs a job") end
  if success ~= nil then check_type('enqueue', 'a function', success, 'function') end
  if failure ~= nil then check_type('enqueue', 'a function', failure, 'function') end
  -- The real one checks what it is given; what it takes goes nowhere.
  if type(name) == 'table' then
    local ids = real_enqueue(name, args, options)
    for _, item in ipairs(name) do record(item) end
    return ids
  end
  local id = real_enqueue(name, args, options)
  record { name, args, options }
  local fn = current.performs[name]
  if fn and (success or failure) then
    spawn(function()
      local good, answer = pcall(fn, copy(args or {}))
      if good and success then success(copy(answer)) end
      if not good and failure then failure { error = answer } end
    end)
  end
  return id
end

local real_perform = perform

function perform(name, args, options)
  if not current then return real_perform(name, args, options) end
  check_type('perform', "a job's name", name, 'string')
  local fn = current.performs[name]
  if not fn then
    raise(format("perform('%s') in a test: say what it answers with fake.perform('%s', function(args) … end)",
      name, name))
  end
  local good, answer = pcall(fn, copy(args or {}))
  if not good then error(answer, 0) end
  return copy(answer or {})
end

-- Each test begins with an empty dictionary.

local shared_keys = {}
for _, word in ipairs { 'set', 'add', 'incr' } do
  local real = shared[word]
  shared[word] = function(key, ...)
    if type(key) == 'string' then shared_keys[key] = true end
    return real(key, ...)
  end
end

local function forget_shared()
  for key in pairs(shared_keys) do shared.delete(key) end
  shared_keys = {}
end

-- Runs

local function run_once(word, name, args, attempt, schedule, tick)
  if not current then raise(word .. ' can only be called in a test') end
  check_type(word, "a job's name", name, 'string')
  if args ~= nil then check_type(word, 'a table of args', args, 'table') end
  if recording then raise(word .. ': a job runs already: one at a time') end
  local json_args = json_object(args)
  local ours = { enqueued = {} }
  recording = ours
  local over <close> = setmetatable({}, { __close = function() recording = nil end })
  local began = now()
  local outcome = host.run_job(name, json_args, attempt, schedule, tick)
  outcome.enqueued = ours.enqueued
  outcome.slept = now() - began
  return outcome
end

function run(name, args, attempt)
  if attempt ~= nil and (mathtype(attempt) ~= 'integer' or attempt < 1) then
    raise('run: the attempt must be a whole number from 1 on, got ' .. tostring(attempt))
  end
  return run_once('run', name, args, attempt or 1)
end

function run_schedule(name, seconds)
  if not current then raise('run_schedule can only be called in a test') end
  check_type('run_schedule', "a schedule's name", name, 'string')
  local from = now()
  local to = from + check_seconds('run_schedule', seconds)
  local found = host.ticks(name, from, to)
  local outcomes = {}
  for i, tick in ipairs(found.ticks) do
    -- A job that sleeps may have moved the clock beyond it.
    current.clock = max(current.clock, tick + 0.0)
    outcomes[i] = run_once('run_schedule', found.job, found.args, 1, name, tick)
    outcomes[i].tick = tick
  end
  current.clock = max(current.clock, to)
  return outcomes
end

local function append(list, others)
  for _, other in ipairs(others) do list[#list + 1] = other end
end

function run_until_done(name, args)
  local enqueued, lines, waits, slept, attempt = {}, {}, {}, 0, 1
  while true do
    local outcome = run_once('run_until_done', name, args, attempt)
    append(enqueued, outcome.enqueued)
    append(lines, outcome.log)
    slept = slept + outcome.slept
    if outcome.status ~= 'error' then
      outcome.enqueued, outcome.log, outcome.slept, outcome.waits = enqueued, lines, slept, waits
      return outcome
    end
    waits[attempt] = outcome.retry_in
    current.clock = current.clock + outcome.retry_in
    args = outcome.args
    attempt = attempt + 1
  end
end

-- Tests

local function describe(file)
  return function(raised)
    local text = type(raised) == 'string' and raised or type(raised) == 'table' and getmetatable(raised) == nil
      and show(raised) or tostring(raised)
    local where, short = place(file)
    if sub(text, 1, #where) == where then return text end
    if sub(text, 1, #short) == short then text = sub(text, #short + 1) end
    return where .. text
  end
end

function test(title, fn)
  check_type('test', 'a title', title, 'string')
  check_type('test', 'a function', fn, 'function')
  if current then raise('test: a test cannot have others in it') end
  local file = getinfo(2, 'S').source
  job('test:' .. host.add_test(title), function(args)
    forget_shared()
    -- It stands until the next test begins: tasks may outlive the function.
    current = { clock = real_now(), fakes = {}, performs = {}, sleepers = {}, last_sleeper = 0 }
    recording = nil
    local good, failure = xpcall(fn, describe(file))
    if not good then args.failure = failure end
  end)
end
