-- What every script finds, whatever libraries the program has. `host` has the functions of the process.
local host = ...
local error, getmetatable, rawget, select, setmetatable, type = error, getmetatable, rawget, select, setmetatable, type
local concat, pack, sort, unpack = table.concat, table.pack, table.sort, table.unpack
local byte, char, find, format, gsub, match, sub = string.byte, string.char, string.find, string.format, string.gsub,
  string.match, string.sub
local tonumber, tostring, next, pairs, pcall, tointeger = tonumber, tostring, next, pairs, pcall, math.tointeger
local encode, decode = json.encode, json.decode
local enqueue_all, spawn, spawn_daemon, wait_one = enqueue, spawn, spawn_daemon, wait
_G.spawn_daemon = nil

local function seconds_of(word, value)
  -- False for NaN as well.
  if type(value) ~= 'number' or not (value >= 0 and value <= 1e9) then
    error(word .. ': expected seconds from 0 to 1e9, got ' .. (type(value) == 'number' and value or type(value)), 3)
  end
  return value
end

-- Pauses and tasks

local host_sleep = host.sleep

function sleep(seconds)
  return host_sleep(seconds_of('sleep', seconds))
end

local function function_of(word, fn)
  if type(fn) ~= 'function' then error(word .. ': expected a function, got ' .. type(fn), 3) end
  return fn
end

function after(seconds, fn, ...)
  seconds_of('after', seconds)
  function_of('after', fn)
  return spawn(function(...)
    host_sleep(seconds)
    return fn(...)
  end, ...)
end

function every(seconds, fn, ...)
  if seconds_of('every', seconds) < 0.001 then error('every: expected at least 0.001 seconds, got ' .. seconds, 2) end
  function_of('every', fn)
  return spawn_daemon(function(...)
    local due = host.clock() + seconds
    while true do
      host_sleep(due > host.clock() and due - host.clock() or 0)
      fn(...)
      -- What took longer than a period is not made up for.
      due = due + seconds
      if due < host.clock() then due = host.clock() end
    end
  end, ...)
end

function wait(first, ...)
  if select('#', ...) == 0 then return wait_one(first) end
  local tasks = pack(first, ...)
  local results = {}
  for i = 1, tasks.n do results[i] = wait_one(tasks[i]) end
  return unpack(results, 1, tasks.n)
end

-- Other jobs

local function copy(options)
  local copied = {}
  for key, value in pairs(options or {}) do copied[key] = value end
  return copied
end

local function check_job(word, name, args, options)
  if type(name) ~= 'string' then error(word .. ': the name must be a string, got ' .. type(name), 3) end
  if args ~= nil and type(args) ~= 'table' then error(word .. ': args must be a table, got ' .. type(args), 3) end
  if options ~= nil and type(options) ~= 'table' then
    error(word .. ': options must be a table, got ' .. type(options), 3)
  end
end

-- An empty table of args is an object.
local function json_object(word, what, value)
  if value == nil or next(value) == nil then return '{}' end
  local good, text = pcall(encode, value)
  if good then return text end
  local problem = match(text, '^value(.*)$')
  error(word .. ': ' .. (problem and what .. problem or text), 3)
end

function perform(name, args, options)
  check_job('perform', name, args, options)
  local good, answer = host.perform(name, json_object('perform', 'args', args),
    json_object('perform', 'options', options))
  if good then return answer end
  error(answer.error ~= nil and answer.error or answer, 2)
end

-- Of a job with a key the distributor says which one stands.
local is_linked = host.is_linked()

local function is_unique(options) return is_linked and type(options) == 'table' and options.unique end

local function enqueue_unique(name, args, options)
  check_job('enqueue', name, args, options)
  return host.enqueue(name, json_object('enqueue', 'args', args), json_object('enqueue', 'options', options))
end

local function is_unique_item(item) return type(item) == 'table' and is_unique(item[3] or item.options) end

local function has_unique(jobs)
  if not is_linked or type(jobs) ~= 'table' then return false end
  for _, item in pairs(jobs) do
    if is_unique_item(item) then return true end
  end
  return false
end

local function enqueue_list(jobs)
  if not has_unique(jobs) then return enqueue_all(jobs) end
  local ids, others, places = {}, {}, {}
  for i, item in pairs(jobs) do
    if not is_unique_item(item) then others[#others + 1], places[#places + 1] = item, i end
  end
  -- They are looked at as a whole, before any other is enqueued.
  for i, id in pairs(enqueue_all(others)) do ids[places[i]] = id end
  for i, item in pairs(jobs) do
    if is_unique_item(item) then
      ids[i] = enqueue_unique(item[1] or item.name, item[2] or item.args, item[3] or item.options)
    end
  end
  return ids
end

function enqueue(name, args, options, success, failure)
  if success == nil and failure == nil then
    if args == nil and options == nil then return enqueue_list(name) end
    if is_unique(options) then return enqueue_unique(name, args, options) end
    return enqueue_all(name, args, options)
  end
  check_job('enqueue', name, args, options)
  if success ~= nil then function_of('enqueue', success) end
  if failure ~= nil then function_of('enqueue', failure) end
  options = copy(options)
  options.id = options.id or host.new_id()
  -- Here, where an error has the place of the script.
  local args_text, options_text = json_object('enqueue', 'args', args), json_object('enqueue', 'options', options)
  host.check_job(name, args_text, options_text)
  spawn(function()
    local good, answer = host.perform(name, args_text, options_text)
    local told = good and success or not good and failure
    if told then told(answer) end
  end)
  return options.id
end

-- The job that runs

local progress, retry_in, cancel_job = progress, retry_in, cancel_job
local fields = { id = true, name = true, attempt = true, schedule = true, tick = true }
local functions = {
  progress = progress,
  retry_in = retry_in,
  cancel = cancel_job,
  stopping = host.stopping,
}

local about = getmetatable(job)
about.__name = 'job'
function about.__index(_, key)
  if functions[key] then return functions[key] end
  if fields[key] then return host.field(key) end
  error("job has no field '" .. tostring(key) ..
    "': there are id, name, attempt, schedule, tick, progress, stopping, retry_in and cancel", 2)
end
function about.__newindex() error('job cannot be changed: what a job leaves behind goes into its args', 2) end
about.__metatable = 'job'

-- Time, ids and settings

now, uuid = host.now, host.uuid

env = setmetatable({}, {
  __index = function(_, name) return host.env(name) end,
  __call = function(_, name, default)
    local value = host.env(name)
    if value == nil then return default end
    return value
  end,
  __newindex = function() error('env cannot be changed', 2) end,
  __metatable = 'env',
})

-- What the states share

local function check_key(word, key)
  if type(key) ~= 'string' then error('shared.' .. word .. ': the key must be a string, got ' .. type(key), 3) end
end

local function check_ttl(word, ttl)
  if ttl ~= nil and (type(ttl) ~= 'number' or not (ttl > 0)) then
    error('shared.' .. word .. ': the ttl must be seconds above 0, got ' .. tostring(ttl), 3)
  end
end

-- Tables travel as JSON.
local function packed(word, value)
  local kind = type(value)
  if kind == 'table' then
    local good, text = pcall(encode, value)
    if not good then error('shared.' .. word .. ': ' .. gsub(text, '^.-:%d+: ', ''), 3) end
    return text, true
  end
  if kind == 'nil' or kind == 'boolean' or kind == 'number' or kind == 'string' then return value, false end
  error('shared.' .. word .. ': cannot keep a ' .. kind, 3)
end

shared = {
  get = function(key)
    check_key('get', key)
    return host.shared_get(key)
  end,
  set = function(key, value, ttl)
    check_key('set', key)
    check_ttl('set', ttl)
    local text, is_json = packed('set', value)
    host.shared_set(key, text, is_json, ttl)
  end,
  add = function(key, value, ttl)
    check_key('add', key)
    check_ttl('add', ttl)
    local text, is_json = packed('add', value)
    return host.shared_add(key, text, is_json, ttl)
  end,
  incr = function(key, by, ttl)
    check_key('incr', key)
    check_ttl('incr', ttl)
    if by ~= nil and type(by) ~= 'number' then error('shared.incr: expected a number, got ' .. type(by), 2) end
    return host.shared_incr(key, by or 1, ttl)
  end,
  delete = function(key)
    check_key('delete', key)
    return host.shared_delete(key)
  end,
}

-- URLs

local function escape(text)
  return (gsub(tostring(text), '[^%w%-%._~]', function(c) return format('%%%02X', byte(c)) end))
end

local function unescape(text)
  return (gsub(gsub(text, '+', ' '), '%%(%x%x)', function(hex) return char(tonumber(hex, 16)) end))
end

local function query(parameters)
  local names, parts = {}, {}
  for name in pairs(parameters) do names[#names + 1] = name end
  sort(names, function(a, b) return tostring(a) < tostring(b) end)
  for _, name in pairs(names) do
    local value = parameters[name]
    for _, each in pairs(type(value) == 'table' and value or { value }) do
      parts[#parts + 1] = escape(name) .. '=' .. escape(each)
    end
  end
  return concat(parts, '&')
end

local function parse(text)
  if type(text) ~= 'string' then error('url.parse: expected a string, got ' .. type(text), 2) end
  local parts, rest = {}, text
  rest = gsub(rest, '#(.*)$', function(fragment) parts.fragment = unescape(fragment) return '' end)
  rest = gsub(rest, '%?(.*)$', function(part) parts.query = part return '' end)
  rest = gsub(rest, '^(%a[%w+.-]*):', function(scheme) parts.scheme = scheme:lower() return '' end)
  rest = gsub(rest, '^//([^/]*)', function(authority)
    authority = gsub(authority, '^(.*)@', function(user)
      local name, password = match(user, '^([^:]*):(.*)$')
      parts.user, parts.password = unescape(name or user), password and unescape(password)
      return ''
    end)
    authority = gsub(authority, ':(%d+)$', function(port) parts.port = tointeger(port) return '' end)
    parts.host = authority ~= '' and gsub(authority, '^%[(.*)%]$', '%1'):lower() or nil
    return ''
  end)
  parts.path = rest
  if parts.query then
    parts.parameters = {}
    for part in parts.query:gmatch('[^&]+') do
      local name, value = match(part, '^([^=]*)=?(.*)$')
      name, value = unescape(name), unescape(value)
      local known = parts.parameters[name]
      if known == nil then
        parts.parameters[name] = value
      elseif type(known) == 'table' then
        known[#known + 1] = value
      else
        parts.parameters[name] = { known, value }
      end
    end
  end
  return parts
end

local function build(parts)
  if type(parts) ~= 'table' then error('url.build: expected a table, got ' .. type(parts), 2) end
  local text = {}
  local function add(...) for i = 1, select('#', ...) do text[#text + 1] = (select(i, ...)) end end
  if parts.scheme then add(parts.scheme, ':') end
  if parts.host then
    add('//')
    if parts.user then
      add(escape(parts.user))
      if parts.password then add(':', escape(parts.password)) end
      add('@')
    end
    add(find(parts.host, ':', 1, true) and '[' .. parts.host .. ']' or parts.host)
    if parts.port then add(':', tostring(parts.port)) end
  end
  local path = parts.path or ''
  if parts.host and path ~= '' and sub(path, 1, 1) ~= '/' then path = '/' .. path end
  add(path)
  local asked = parts.parameters and query(parts.parameters) or parts.query
  if asked and asked ~= '' then add('?', asked) end
  if parts.fragment then add('#', escape(parts.fragment)) end
  return concat(text)
end

url = { escape = escape, unescape = unescape, query = query, parse = parse, build = build }
