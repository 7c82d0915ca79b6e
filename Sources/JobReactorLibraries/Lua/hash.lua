-- Hashes, encodings and random bytes. All take and return strings of bytes.

local host = ...
local error, format, type, whole = error, string.format, type, math.tointeger

hash = {}

--- A function of the host whose `count` arguments are all strings.
local function define(name, count)
    local call = host[name]
    local function check(position, value)
        if type(value) ~= 'string' then
            error(format("bad argument #%d to 'hash.%s' (string expected, got %s)", position, name, type(value)), 3)
        end
    end
    if count == 1 then
        hash[name] = function(bytes)
            check(1, bytes)
            return (call(bytes))
        end
    else
        hash[name] = function(first, second)
            check(1, first)
            check(2, second)
            return (call(first, second))
        end
    end
end

for _, name in ipairs {
    'sha256', 'sha512', 'sha1', 'md5', 'hex', 'unhex', 'base64', 'unbase64', 'base64url', 'unbase64url',
} do
    define(name, 1)
end
define('hmac_sha256', 2)
define('equal', 2)

local random = host.random

function hash.random(count)
    local bytes = type(count) == 'number' and whole(count)
    if not bytes then
        error(format("bad argument #1 to 'hash.random' (whole number expected, got %s)", type(count)), 2)
    end
    return (random(bytes))
end
