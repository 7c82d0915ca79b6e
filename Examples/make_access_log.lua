-- Writes the sample that the examples read, always the same one:
--
--     lua5.4 Examples/make_access_log.lua > Examples/access.log
--
-- About two thousand lines in the Combined Log Format, each with the seconds the request took at its end. The shop, its
-- paths and its visitors are invented; the addresses are those reserved for documentation.

-- A generator of our own, since math.random is not promised to give the same numbers in every Lua.
local state = 20260302
local function random(limit)
    state = (state * 6364136223846793005 + 1442695040888963407) & 0x7FFFFFFFFFFFFFFF
    return (state >> 24) % limit + 1
end
local function chance(percent) return random(1000) <= percent * 10 end
local function pick(list) return list[random(#list)] end

-- Picks by weight: { { weight, value... }, ... }
local function weighted(list)
    local total = 0
    for _, entry in ipairs(list) do total = total + entry[1] end
    local at = random(total)
    for _, entry in ipairs(list) do
        at = at - entry[1]
        if at <= 0 then return entry end
    end
end

-- weight, method, path, bytes, typical milliseconds
local PAGES = {
    { 150, 'GET', '/', 8200, 12 },
    { 130, 'GET', '/teas', 15400, 35 },
    { 60, 'GET', '/teas/assam-second-flush', 9100, 22 },
    { 55, 'GET', '/teas/darjeeling-first-flush', 9300, 22 },
    { 35, 'GET', '/teas/gyokuro', 8800, 21 },
    { 25, 'GET', '/teas/lapsang-souchong', 8700, 24 },
    { 70, 'GET', '/search?q=%s', 12100, 180 },
    { 90, 'GET', '/assets/shop.css', 24100, 2 },
    { 85, 'GET', '/assets/shop.js', 71800, 3 },
    { 60, 'GET', '/assets/logo.svg', 3100, 2 },
    { 40, 'GET', '/images/teapot-%d.webp', 48000, 6 },
    { 30, 'POST', '/cart', 640, 48 },
    { 25, 'GET', '/cart', 5200, 30 },
    { 14, 'POST', '/checkout', 890, 420 },
    { 12, 'POST', '/login', 310, 95 },
    { 10, 'GET', '/account/orders?page=%d', 7400, 140 },
    { 18, 'GET', '/api/stock/%d', 120, 15 },
    { 4, 'PUT', '/api/stock/%d', 60, 28 },
    { 3, 'DELETE', '/cart/items/%d', 0, 26 },
    { 5, 'GET', '/reports/sales?month=2026-0%d', 182000, 1900 },
    { 6, 'HEAD', '/', 0, 5 },
}
local SEARCHES = { 'green+tea', 'gyokuro', 'earl+grey', 'teapot+1l', 'rooibos', 'w%C3%BCrzig', 'white+tea', 'matcha' }
local MISSING = { '/favicon.ico', '/wp-login.php', '/.env', '/old-shop/index.html', '/teas/earl-gray', '/robots.txt' }
local AGENTS = {
    'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0',
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.4 Safari/605.1.15',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) Mobile/15E148',
    'Mozilla/5.0 (compatible; ExampleBot/2.1; +https://bot.example/about)',
    'curl/7.88.1',
}
local REFERRERS = { '-', '-', 'https://shop.example/', 'https://search.example/' }
local GARBAGE = {
    '192.0.2.77 - - [02/Mar/2026:1',
    '---- log rotated ----',
    'nginx: worker process exited on signal 9',
    '\255\254 half a record',
    '198.51.100.9 - - "GET / HTTP/1.1" 200',
}

local clients = {}
for index = 1, 60 do clients[#clients + 1] = '192.0.2.' .. index end
for index = 1, 45 do clients[#clients + 1] = '198.51.100.' .. index * 3 end
for index = 1, 30 do clients[#clients + 1] = '203.0.113.' .. index * 5 end
for index = 1, 20 do clients[#clients + 1] = string.format('2001:db8:%x::%x', index, index * 17) end

-- Requests in each hour of the day: few at night, most in the evening.
local HOURS = {
    [0] = 22, 14, 9, 7, 8, 15, 34, 62, 88, 104, 110, 118, 126, 120, 108, 102, 104, 116, 138, 162, 170, 138, 82, 43,
}

local function write(client, hour, seconds, request, status, bytes, milliseconds)
    io.write(string.format('%s - %s [02/Mar/2026:%02d:%02d:%02d +0000] "%s" %d %s "%s" "%s" %.3f\n',
        client, chance(4) and 'maria' or '-', hour, seconds // 60, seconds % 60, request, status,
        bytes == 0 and '-' or bytes, pick(REFERRERS), pick(AGENTS), milliseconds / 1000))
end

for hour = 0, 23 do
    local times = {}
    for index = 1, HOURS[hour] do times[index] = random(3600) - 1 end
    table.sort(times)
    for _, seconds in ipairs(times) do
        local client = pick(clients)
        if chance(3.5) then
            write(client, hour, seconds, 'GET ' .. pick(MISSING) .. ' HTTP/1.1', 404, 196, 1 + random(3))
        elseif chance(0.4) then
            -- What a TLS client says to a port that speaks HTTP.
            write(client, hour, seconds, '\\x16\\x03\\x01\\x02\\x00\\x01', 400, 157, 0)
        else
            local _, method, path, bytes, typical = table.unpack(weighted(PAGES))
            path = path:gsub('%%d', function() return random(9) end):gsub('%%s', function() return pick(SEARCHES) end)
            local status = ({ POST = 303, PUT = 204, DELETE = 204 })[method] or 200
            local milliseconds = math.max(1, typical * (50 + random(100)) // 100)
            -- Now and then something waits for a lock.
            if chance(2) then milliseconds = milliseconds * (3 + random(6)) end
            if path:find('^/assets/') and chance(35) then
                status, bytes = 304, 0
            elseif (path:find('^/checkout') or path:find('^/reports')) and chance(hour == 20 and 60 or 12) then
                -- The payment service had a bad evening.
                status, bytes, milliseconds = pick({ 500, 502, 504 }), 1700, milliseconds + 5000
            elseif chance(hour == 20 and 8 or 0.6) then
                status, bytes = 500, 1700
            elseif path:find('^/login') and chance(20) then
                status = 401
            end
            if status == 204 or method == 'HEAD' then
                bytes = 0
            elseif bytes > 0 then
                bytes = bytes + random(bytes // 10 + 1)
            end
            write(client, hour, seconds, method .. ' ' .. path .. ' HTTP/' .. pick({ '1.1', '2.0' }), status, bytes,
                milliseconds)
        end
        if chance(0.5) then io.write(pick(GARBAGE), '\n') end
    end
end
