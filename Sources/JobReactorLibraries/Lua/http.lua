-- Requests to web servers. The host makes them; here is what scripts say and get.

local host = ...
local error, format, ipairs, pairs, setmetatable, tostring = error, string.format, ipairs, pairs, setmetatable, tostring
local type, pcall, pack, unpack, concat, sort = type, pcall, string.pack, string.unpack, table.concat, table.sort
local byte, gsub, find, lower, upper = string.byte, string.gsub, string.find, string.lower, string.upper
local whole, encode, decode = math.tointeger, json.encode, json.decode
local host_request = host.request

http = {}

local types = {
    url = 'string', method = 'string', headers = 'table', query = 'table', body = 'string', timeout = 'number',
    max_bytes = 'number', redirects = 'number', file = 'string', any_status = 'boolean', insecure = 'boolean',
    ca = 'string', secret_headers = 'table',
}

local Response = { __name = 'http.response' }
Response.__index = Response

--- What the JSON in the body stands for.
function Response:json()
    local is_good, value = pcall(decode, self.body)
    if not is_good then
        error(format('http: the body that %s sent with status %d is no JSON: %s', self.url, self.status, value), 2)
    end
    return value
end

local function escape(text)
    return (gsub(text, '[^%w%-._~]', function(character) return format('%%%02X', byte(character)) end))
end

--- Whether a table has values at 1, 2 and so on, and no others.
local function is_list(values)
    local count = 0
    for _ in pairs(values) do
        count = count + 1
    end
    return count == #values
end

--- Calls `take(name, text)` for each value of a table whose values are strings, numbers, booleans, or lists of those,
--- by name. Returns what is wrong, if anything is.
local function each_value(what, values, take)
    local names = {}
    for name in pairs(values) do
        if type(name) ~= 'string' then return format('http: the names in %s must be strings', what) end
        names[#names + 1] = name
    end
    sort(names)
    for _, name in ipairs(names) do
        local value = values[name]
        if type(value) == 'table' and not is_list(value) then
            local needed = 'must be a string or a list of strings, and is a table with names'
            return format("http: the value of '%s' in %s %s", name, what, needed)
        end
        for _, one in ipairs(type(value) == 'table' and value or { value }) do
            local kind = type(one)
            if kind ~= 'string' and kind ~= 'number' and kind ~= 'boolean' then
                return format("http: the value of '%s' in %s must be a string, and is a %s", name, what, kind)
            end
            take(name, tostring(one))
        end
    end
end

--- The URL with the query and without its fragment, which no server sees, or nil and what is wrong.
local function with_query(url, query)
    local parts = {}
    local problem = each_value('query', query, function(name, text)
        parts[#parts + 1] = escape(name) .. '=' .. escape(text)
    end)
    if problem then return nil, problem end
    if #parts == 0 then return url end
    local fragment = find(url, '#', 1, true)
    local base = fragment and url:sub(1, fragment - 1) or url
    return base .. (find(base, '?', 1, true) and '&' or '?') .. concat(parts, '&')
end

--- The headers, packed, or nil and what is wrong. `content_type` is for those that say none.
local function pack_headers(headers, content_type)
    local parts = {}
    local problem = each_value('headers', headers, function(name, text)
        if lower(name) == 'content-type' then content_type = nil end
        parts[#parts + 1] = pack('<s4s4', name, text)
    end)
    if problem then return nil, problem end
    if content_type then parts[#parts + 1] = pack('<s4s4', 'Content-Type', content_type) end
    return concat(parts)
end

--- The names of the secret headers, packed, or nil and what is wrong.
local function pack_names(names)
    local parts = {}
    if not is_list(names) then return nil, 'http: secret_headers must be a list of names' end
    for index, name in ipairs(names) do
        if type(name) ~= 'string' then return nil, 'http: secret_headers must be a list of names' end
        parts[index] = pack('<s4', name)
    end
    return concat(parts)
end

--- Headers by lower-case name; several of one name are joined, but for cookies, which are a list.
local function unpack_headers(packed)
    local headers, place = {}, 1
    while place <= #packed do
        local name, value
        name, value, place = unpack('<s4s4', packed, place)
        local before = headers[name]
        if name == 'set-cookie' then
            if before then before[#before + 1] = value else headers[name] = { value } end
        else
            headers[name] = before and before .. ', ' .. value or value
        end
    end
    return headers
end

--- What is wrong with options, if anything is.
local function problem_of(options)
    if type(options) ~= 'table' then return format('http: the options must be a table, and are a %s', type(options)) end
    for name, value in pairs(options) do
        local expected = types[name]
        if not expected and name ~= 'json' then return format("http: there is no option '%s'", tostring(name)) end
        if expected and type(value) ~= expected then
            return format('http: %s must be a %s, and is a %s', name, expected, type(value))
        end
        if (name == 'max_bytes' or name == 'redirects') and not whole(value) then
            return format('http: %s must be a whole number', name)
        end
    end
    if options.url == nil then return 'http: a url is missing' end
    if options.body ~= nil and options.json ~= nil then return 'http: give body or json, not both' end
    if options.method and not find(options.method, '^%a+$') then
        return format("http: '%s' is no method", options.method)
    end
end

--- Called as the last act of the functions that scripts call, so that its own caller is the script.
local function request(options)
    local problem = problem_of(options)
    if problem then error(problem, 2) end
    local url, headers = options.url, nil
    local body, content_type = options.body, nil
    if options.json ~= nil then
        local is_good, text = pcall(encode, options.json)
        if not is_good then error('http: json: ' .. tostring(text), 2) end
        body, content_type = text, 'application/json'
    end
    if options.query then
        url, problem = with_query(url, options.query)
        if not url then error(problem, 2) end
    end
    headers, problem = pack_headers(options.headers or {}, content_type)
    if not headers then error(problem, 2) end
    local secrets
    secrets, problem = pack_names(options.secret_headers or {})
    if not secrets then error(problem, 2) end
    local status, final_url, packed, content, size = host_request(
        upper(options.method or 'GET'), url, headers, body, options.timeout, options.max_bytes, options.redirects,
        options.file, options.insecure, options.ca, options.any_status, secrets)
    return setmetatable({
        status = status, url = final_url, headers = unpack_headers(packed), body = content, size = size,
    }, Response)
end

--- Makes a request: { url, method, headers, query, body, json, timeout, max_bytes, redirects, file, any_status,
--- insecure, ca, secret_headers }.
---
--- Returns { status, headers, body, url, size }, whatever the status is; an answer that does not come is an error.
function http.request(options)
    return request(options)
end

local function copy(options)
    local own = {}
    for name, value in pairs(options) do
        own[name] = value
    end
    return own
end

function http.get(url, options)
    if options ~= nil and type(options) ~= 'table' then return request(options) end
    local own = copy(options or {})
    own.url = url
    return request(own)
end

function http.post(url, body, options)
    if options ~= nil and type(options) ~= 'table' then return request(options) end
    local own = copy(options or {})
    own.url, own.method = url, own.method or 'POST'
    if body ~= nil then own.body = body end
    return request(own)
end
