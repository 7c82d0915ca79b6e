-- Connections to Redis. One connection of the process serves all handles that were made with the same URL.

local host = ...
local error, format, select, setmetatable, tostring = error, string.format, select, setmetatable, tostring
local type, math_type, tonumber, unpack = type, math.type, tonumber, string.unpack
local table_unpack = table.unpack
local host_connect, host_call, array = host.connect, host.call, json.array

redis = {}

--- What each handle stands for: the number of the host, and where the server is. A closed handle has none.
local numbers = setmetatable({}, { __mode = 'k' })
local places = setmetatable({}, { __mode = 'k' })

local Connection = { __name = 'redis.connection', __metatable = 'redis.connection' }
Connection.__index = Connection

function Connection:__tostring()
    return format('redis connection to %s%s', places[self], numbers[self] and '' or ' (closed)')
end

--- A handle on the server at a URL, `redis://127.0.0.1:6379/0` if none is given. It connects with the first call.
function redis.connect(url)
    if url == nil then url = 'redis://127.0.0.1:6379/0' end
    if type(url) ~= 'string' then
        error(format("bad argument #1 to 'redis.connect' (URL expected, got %s)", type(url)), 2)
    end
    local connection = setmetatable({}, Connection)
    numbers[connection], places[connection] = host_connect(url)
    return connection
end

--- A number in the fewest digits that give it back.
local function digits(number)
    if math_type(number) == 'integer' then return format('%d', number) end
    local short = format('%.14g', number)
    return tonumber(short) == number and short or format('%.17g', number)
end

local read_list

--- A value of a list at a place, and the place after it. What is missing is false, as in Redis' own scripts, since a
--- list of Lua cannot hold nil; an error is a table with its text in `err`.
local function read(packed, place)
    local mark = packed:byte(place)
    if mark == 115 then -- s
        return unpack('<s4', packed, place + 1)
    elseif mark == 105 then -- i
        return unpack('<i8', packed, place + 1)
    elseif mark == 97 then -- a
        return read_list(packed, place)
    elseif mark == 101 then -- e
        local text, after = unpack('<s4', packed, place + 1)
        return { err = text }, after
    end
    return false, place + 1
end

function read_list(packed, place)
    local count, after = unpack('<I4', packed, place + 1)
    local list = array()
    for index = 1, count do
        list[index], after = read(packed, after)
    end
    return list, after
end

--- Sends a command and returns its answer: a string, an integer, nil, or a list. Raises what Redis answers as an error.
function Connection:call(...)
    local number = numbers[self]
    if not number then
        error(places[self] and 'this redis connection is closed: make another with redis.connect'
            or "bad argument #1 to 'call' (redis connection expected): write connection:call(command, ...)", 2)
    end
    local count = select('#', ...)
    if count == 0 then error("bad argument #1 to 'call' (a command of Redis expected, got nothing)", 2) end
    local words = { ... }
    for index = 1, count do
        local word = words[index]
        if type(word) == 'number' then
            words[index] = digits(word)
        elseif type(word) ~= 'string' then
            error(format("bad argument #%d to 'call' (string or number expected, got %s)", index, type(word)), 2)
        end
    end
    local value, is_list = host_call(number, table_unpack(words, 1, count))
    if is_list then return (read_list(value, 1)) end
    return value
end

--- Gives the handle up. The connection itself is closed when nobody has used it for a minute.
function Connection:close()
    numbers[self] = nil
end
