private import JobReactorCore

/// What several scripts begin with, in Lua.
enum RedisScriptParts {
    /// KEYS[1] is `B`; ARGV[1], [2] and [3] the epoch, the connection and the number of the call.
    static let fence = """
        local base = KEYS[1]
        local state = redis.call('HMGET', base, 'epoch', 'connection', 'seq')
        if not state[1] then return redis.error_reply('EMPTIED nothing is left') end
        if state[1] ~= ARGV[1] then
          local holder = redis.call('GET', base .. ':lease')
          return redis.error_reply('LOST ' .. (holder or 'nobody'))
        end
        if state[2] ~= ARGV[2] then return redis.error_reply('STALE a newer connection has taken over') end
        local seq = tonumber(ARGV[3])
        local again = seq <= tonumber(state[3])

        """

    /// Notes that the server serves, and tells since when without a gap: `served(key, lease)`. Who has a lease renews it each
    /// third of it, so that a gap of half of it is one of the server.
    static let serving = """
        local function served(key, lease)
          local time = redis.call('TIME')
          local now = time[1] * 1000 + math.floor(time[2] / 1000)
          local known = redis.call('HMGET', key, 'at', 'since')
          local since = tonumber(known[2] or now)
          if now - tonumber(known[1] or 0) > lease / 2 or since > now then since = now end
          redis.call('HSET', key, 'at', string.format('%.0f', now), 'since', string.format('%.0f', since))
          return now, since
        end

        """

    /// Renews the lease, also on a server at its memory limit: that lets a script go on which has begun to write with a
    /// command that needs no memory. One that comes after the closing, as it was under way then, or over another connection,
    /// must not bring the lease back.
    static let renewal = """
        local base = KEYS[1]
        local state = redis.call('HMGET', base, 'epoch', 'closed')
        if not state[1] then return redis.error_reply('EMPTIED nothing is left') end
        if state[1] ~= ARGV[1] then
          return redis.error_reply('LOST ' .. (redis.call('GET', base .. ':lease') or 'nobody'))
        end
        if state[2] == '1' then return 1 end
        redis.call('PEXPIRE', base .. ':lease', ARGV[3])
        served(KEYS[2], tonumber(ARGV[3]))
        redis.call('SET', base .. ':lease', ARGV[2], 'PX', ARGV[3])

        """

    /// Sets a record and keeps what is in order of it. What goes to one key from many records is gathered and goes there in
    /// one command at the end, `settle`: each command costs the server about as much as what it does.
    static let records = """
        local function words(from, count)
          return unpack(ARGV, from, from + count - 1)
        end
        local function each_thousand(list, call)
          for first = 1, #list, 1000 do call(unpack(list, first, math.min(first + 999, #list))) end
        end
        -- Members of the sorted sets, in order; true for those to add, false for those to remove.
        local changes = {jobs = {list = {}, is = {}}, reports = {list = {}, is = {}}}
        local function change(set, member, is)
          local change = changes[set]
          if change.is[member] == nil then change.list[#change.list + 1] = member end
          change.is[member] = is
        end
        local has_finished
        local function settle()
          for set, change in pairs(changes) do
            local key, added, removed = base .. ':' .. set, {}, {}
            for _, member in ipairs(change.list) do
              if change.is[member] then
                added[#added + 1] = 0
                added[#added + 1] = member
              else
                removed[#removed + 1] = member
              end
            end
            each_thousand(added, function(...) redis.call('ZADD', key, ...) end)
            each_thousand(removed, function(...) redis.call('ZREM', key, ...) end)
          end
        end
        local function is_end(status)
          return status == 'complete' or status == 'failed' or status == 'cancelled'
        end
        local function is_not_finished(id)
          if has_finished == nil then has_finished = redis.call('EXISTS', base .. ':finished') == 1 end
          if has_finished then redis.call('ZREM', base .. ':finished', id) end
        end
        local function keep_report(i)
          -- 0, or 1, the key, the count of the words and the words
          if ARGV[i] == '0' then return i + 1, nil end
          return i + 3 + tonumber(ARGV[i + 2]), i + 1
        end
        local taken = {}
        local function drop_taken()
          each_thousand(taken, function(...) redis.call('DEL', ...) end)
          taken = {}
        end
        local function store_report(i)
          if not i then return end
          -- One that was taken just before goes first.
          if changes.reports.is[ARGV[i]] == false then drop_taken() end
          redis.call('HSET', base .. ':report:' .. ARGV[i], words(i + 2, tonumber(ARGV[i + 1])))
          change('reports', ARGV[i], true)
        end
        -- What was set of a record from ARGV[i] on replaces that of a finished job. The old fields go last: a server at its
        -- memory limit refuses what needs memory only as long as nothing is written.
        local function drop_old(id, i, count)
          local key, is = base .. ':job:' .. id, {}
          for field = i, i + count - 1, 2 do is[ARGV[field]] = true end
          for _, field in ipairs(redis.call('HKEYS', key)) do
            if not is[field] then redis.call('HDEL', key, field) end
          end
          is_not_finished(id)
        end
        local function remove(id)
          change('jobs', id, false)
          is_not_finished(id)
          return redis.call('DEL', base .. ':job:' .. id)
        end

        """

    /// Stores the jobs whose words begin at ARGV[i]: `save(i)` returns the ids that are new. Those that are not, which is rare,
    /// are kept for as long as the call may come again; ARGV[4] is the oldest that may.
    static let saving = """
        local function save(i)
          local new, known, pruned = {}, base .. ':known', false
          while i <= #ARGV do
            local id, count = ARGV[i], tonumber(ARGV[i + 1])
            local key = base .. ':job:' .. id
            local status = not again and redis.call('HGET', key, 'status')
            if again then
              if not redis.call('ZSCORE', known, ARGV[3] .. ' ' .. i) then new[#new + 1] = id end
            elseif not status or is_end(status) then
              redis.call('HSET', key, words(i + 2, count))
              if status then drop_old(id, i + 2, count) end
              change('jobs', id, true)
              new[#new + 1] = id
            else
              if not pruned then redis.call('ZREMRANGEBYSCORE', known, '-inf', '(' .. ARGV[4]) end
              pruned = true
              redis.call('ZADD', known, ARGV[3], ARGV[3] .. ' ' .. i)
            end
            i = i + 2 + count
          end
          settle()
          if not again then redis.call('HSET', base, 'seq', ARGV[3]) end
          return new
        end

        """

    /// Reads the records of a page, as many as have room in it: `page(ids, prefix)`.
    static let paging = """
        local function page(ids, prefix)
          local page, bytes = {}, 0
          for _, id in ipairs(ids) do
            local record = redis.call('HGETALL', prefix .. id)
            for i = 2, #record, 2 do bytes = bytes + #record[i] end
            if bytes > \(JobLimits.pageBytes) and #page > 0 then break end
            page[#page + 1] = record
          end
          return page
        end

        """
}
