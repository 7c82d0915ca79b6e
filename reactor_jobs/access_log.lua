-- Reads the access log of a web server: who asked for what, what failed, what was slow.
--
--     jobreactor run access_log path=/var/log/nginx/access.log top=3
--
-- Reads the Common and the Combined Log Format of Apache, nginx and most others. A number at the end of a line, if
-- there is one, is the time the request took, in seconds (nginx: add $request_time to the log_format).
--
-- in   path          the file, as the node sees it
--      top           how many busiest and slowest paths to list; 5 when not given
--      min_requests  a path needs this many timed requests to count among the slowest; 3 when not given
--      alert_ratio   alert when more than this share of the requests failed with 5xx; 0.05 when not given
-- out  requests, bytes, unreadable_lines, unique_clients
--      by_status = { ['200'] = , ... }, by_class = { ['2xx'] = , ... }, by_method = { GET = , ... }
--      error_ratio (4xx and 5xx), server_error_ratio (5xx)
--      busiest_paths = { { path = , count = }, ... }
--      slowest_paths = { { path = , requests = , mean_seconds = , max_seconds = }, ... }
--      requests_per_hour = { { hour = '2026-03-02 13:00', requests = }, ... }     in the order of time
--      alerts = { text, ... }, summary

local tally = require('lib.tally')

local MONTHS = {
    Jan = '01', Feb = '02', Mar = '03', Apr = '04', May = '05', Jun = '06',
    Jul = '07', Aug = '08', Sep = '09', Oct = '10', Nov = '11', Dec = '12',
}

-- client identity user [time] "request" status bytes rest
local BEGINNING = '^(%S+) %S+ .- %[(%d%d)/(%a%a%a)/(%d%d%d%d):(%d%d):[^%[%]]*%] "()'
-- The request may contain quotation marks of its own; it ends at the one that a status follows.
local ENDING = '^(.-)" (%d%d%d) (%S+)(.*)$'

-- One line as a table, or nil when it is not a line of an access log.
local function parse(line)
    local client, day, month, year, hour, position = line:match(BEGINNING)
    if not client then
        return nil
    end
    -- A second match from where the first ended: one pattern for all would try every combination of the two on a line
    -- that fits neither, which takes minutes on a long one.
    local request, status, bytes, rest = line:match(ENDING, position)
    month = MONTHS[month]
    if not month or not request then
        return nil
    end
    local method, target = request:match('^(%u+) (%S+)')
    return {
        client = client,
        hour = year .. '-' .. month .. '-' .. day .. ' ' .. hour .. ':00',
        method = method or 'unknown',
        -- Without the query, or every search would be a path of its own.
        path = (target or '(unreadable request)'):match('^[^?#]*'),
        status = status,
        bytes = math.tointeger(tonumber(bytes)) or 0,   -- '-' means none
        seconds = tonumber(rest:match(' ([%d.]+)%s*$')),
    }
end

local function add(counts, key)
    counts[key] = (counts[key] or 0) + 1
end

local function slowest(timings, top, min_requests)
    local result = json.array({})
    for path, timing in pairs(timings) do
        if timing.requests >= min_requests then
            result[#result + 1] = {
                path = tally.readable(path),
                requests = timing.requests,
                mean_seconds = timing.total / timing.requests,
                max_seconds = timing.max,
            }
        end
    end
    table.sort(result, function(a, b)
        if a.mean_seconds ~= b.mean_seconds then
            return a.mean_seconds > b.mean_seconds
        end
        return a.path < b.path
    end)
    for index = #result, top + 1, -1 do
        result[index] = nil
    end
    return result
end

local function by_hour(hours)
    local result = json.array({})
    for hour, requests in pairs(hours) do
        result[#result + 1] = { hour = hour, requests = requests }
    end
    table.sort(result, function(a, b) return a.hour < b.hour end)
    return result
end

job('access_log', { max_attempt = 1 }, function(args)
    local top = tally.count_argument(args, 'top', 5)
    local min_requests = tally.count_argument(args, 'min_requests', 3)
    local file <close> = tally.open(args)

    local requests, bytes, unreadable, unique_clients = 0, 0, 0, 0
    local statuses, classes, methods, paths, hours = {}, {}, {}, {}, {}
    local clients, timings = {}, {}
    -- Line by line: a log of many gigabytes takes no more memory than its distinct paths and clients.
    for line in file:lines() do
        local entry = parse(line)
        if entry then
            requests = requests + 1
            bytes = bytes + entry.bytes
            add(statuses, entry.status)
            add(classes, entry.status:sub(1, 1) .. 'xx')
            add(methods, entry.method)
            add(paths, entry.path)
            add(hours, entry.hour)
            if not clients[entry.client] then
                clients[entry.client] = true
                unique_clients = unique_clients + 1
            end
            -- A number of hundreds of digits is infinite to Lua, and JSON knows no infinity.
            if entry.seconds and entry.seconds < math.huge then
                local timing = timings[entry.path]
                if not timing then
                    timing = { requests = 0, total = 0, max = 0 }
                    timings[entry.path] = timing
                end
                timing.requests = timing.requests + 1
                timing.total = timing.total + entry.seconds
                timing.max = math.max(timing.max, entry.seconds)
            end
        elseif line:find('%S') then
            -- Real logs have cut-off lines and worse. They are counted, and the rest is still worth reading.
            unreadable = unreadable + 1
        end
    end

    args.requests, args.bytes, args.unreadable_lines, args.unique_clients = requests, bytes, unreadable, unique_clients
    args.by_status, args.by_class, args.by_method = statuses, classes, methods
    args.busiest_paths = tally.top(paths, top, 'path')
    args.slowest_paths = slowest(timings, top, min_requests)
    args.requests_per_hour = by_hour(hours)

    local server_errors, client_errors = classes['5xx'] or 0, classes['4xx'] or 0
    -- 0/0 is not a number, and JSON has none for it: a log without requests has no errors either.
    local all = math.max(requests, 1)
    args.server_error_ratio = server_errors / all
    args.error_ratio = (server_errors + client_errors) / all
end)

job_callback('access_log', 'alerts', function(args)
    local limit = args.alert_ratio or 0.05
    args.alerts = json.array({})
    if args.server_error_ratio > limit then
        table.insert(args.alerts, string.format('%.1f %% of all requests failed with 5xx (limit: %.1f %%)',
            100 * args.server_error_ratio, 100 * limit))
    end
    if args.requests == 0 then
        table.insert(args.alerts, 'no request could be read: is this an access log?')
    end
end)

job_callback('access_log', 'summary', function(args)
    args.summary = string.format('%s: %d requests from %d clients, %.1f %% errors, %d unreadable lines', args.path,
        args.requests, args.unique_clients, 100 * args.error_ratio, args.unreadable_lines)
end)
