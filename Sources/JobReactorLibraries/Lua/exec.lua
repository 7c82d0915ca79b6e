-- Other programs. No shell reads what is said here: each argument reaches the program as it is.

local host = ...
local error, format, ipairs, pairs, tostring = error, string.format, ipairs, pairs, tostring
local type, pack, concat, sort = type, string.pack, table.concat, table.sort
local table_pack, unpack, whole = table.pack, table.unpack, math.tointeger
local host_run = host.run

local options = { stdin = 'string', timeout = 'number', env = 'table', directory = 'string', max_output = 'number' }

--- The environment as pairs, packed; nil and what is wrong when it is none.
local function pack_environment(variables)
    local names, packed = {}, {}
    for name, value in pairs(variables) do
        if type(name) ~= 'string' then return nil, 'the names in env must be strings' end
        if type(value) ~= 'string' and type(value) ~= 'number' then
            return nil, format("the value of '%s' in env must be a string or number, and is %s", name, type(value))
        end
        names[#names + 1] = name
    end
    sort(names)
    for index, name in ipairs(names) do
        packed[index] = pack('<s4s4', name, tostring(variables[name]))
    end
    return concat(packed)
end

--- Runs a program until it ends: exec(program, arguments...), or exec { program, arguments..., stdin = text,
--- timeout = seconds, env = { NAME = value }, directory = path, max_output = bytes }.
---
--- Returns { status, signal, stdout, stderr }; status is nil when a signal ended the program. A status other than 0 is
--- no error; a program that cannot be run, takes longer than its timeout or writes more than its limit is.
function exec(...)
    local words, given = table_pack(...), {}
    if type((...)) == 'table' then
        if words.n > 1 then error('exec: the arguments of the program belong into the table', 2) end
        given = (...)
        words = { n = #given, unpack(given) }
        for key in pairs(given) do
            if type(key) == 'string' and not options[key] then
                error(format("exec: there is no option '%s'", key), 2)
            end
        end
        for key, expected in pairs(options) do
            local value = given[key]
            if value ~= nil and type(value) ~= expected then
                error(format('exec: %s must be a %s, and is a %s', key, expected, type(value)), 2)
            end
        end
        if given.max_output and not whole(given.max_output) then error('exec: max_output must be a whole number', 2) end
    end
    if words.n == 0 then error("bad argument #1 to 'exec' (a program expected, got nothing)", 2) end
    for index = 1, words.n do
        local word = words[index]
        if type(word) == 'number' then
            words[index] = tostring(word)
        elseif type(word) ~= 'string' then
            error(format("bad argument #%d to 'exec' (string expected, got %s)", index, type(word)), 2)
        end
    end
    local environment, problem
    if given.env then
        environment, problem = pack_environment(given.env)
        if not environment then error('exec: ' .. problem, 2) end
    end
    local status, signal, stdout, stderr = host_run(
        given.stdin, given.timeout, given.max_output, given.directory, environment, unpack(words, 1, words.n))
    return { status = status, signal = signal, stdout = stdout, stderr = stderr }
end
