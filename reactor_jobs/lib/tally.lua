-- A module for the jobs in this folder: `local tally = require('lib.tally')`.
--
-- Modules live beside the jobs. The node loads this file as a script too, as it does with every .lua file it finds
-- here; since it defines no job, that does nothing.

local tally = {}

--- The `limit` largest entries of a table of counts, the largest first and equal ones by name, as an array of
--- { [name_key] = name, count = count }. Ready to be put into `args`, also when it is empty.
function tally.top(counts, limit, name_key)
    local names = {}
    for name in pairs(counts) do
        names[#names + 1] = name
    end
    table.sort(names, function(a, b)
        if counts[a] ~= counts[b] then
            return counts[a] > counts[b]
        end
        return a < b
    end)

    -- An empty Lua table could be an array or an object. json.array says which, so the application gets an array.
    local result = json.array({})
    for index = 1, math.min(limit, #names) do
        result[index] = { [name_key] = tally.readable(names[index]), count = counts[names[index]] }
    end
    return result
end

--- The text with each byte that is not UTF-8 replaced. Args travel as JSON, which can hold nothing else.
function tally.readable(text)
    local good, start = {}, 1
    while true do
        local length, bad = utf8.len(text, start)
        if length then
            break
        end
        good[#good + 1] = text:sub(start, bad - 1)
        start = bad + 1
    end
    good[#good + 1] = text:sub(start)
    return table.concat(good, '\u{FFFD}')
end

--- `args[name]` as a whole number from 1, or `default` when it was not given.
function tally.count_argument(args, name, default)
    local value = args[name]
    if value == nil then
        return default
    end
    local count = math.tointeger(tonumber(value))
    if not count or count < 1 then
        error(name .. ' takes a whole number from 1, not ' .. tostring(value), 2)
    end
    return count
end

--- Opens the file of `args.path` for reading, or raises what is wrong with it; the 2 puts the caller's line into the
--- message.
function tally.open(args)
    if type(args.path) ~= 'string' then
        error('the job needs path=FILE', 2)
    end
    local file, problem = io.open(args.path, 'rb')
    if not file then
        error('cannot read ' .. problem, 2)
    end
    return file
end

return tally
