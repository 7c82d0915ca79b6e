private import JobReactorCore

/// The scripts that run inside the server, each atomic there.
///
/// Keys of an owner, with `B` for `<prefix>node:<name>` (or `distributor:<name>`):
///
/// | key | type | what |
/// |---|---|---|
/// | `B` | hash | `epoch`, `connection` and `seq` of the owner, who it is; `holder` and `lease` (ms) of the last process that |
/// | | | opened it, `closed` when that has closed it |
/// | `B:lease` | string | the owner's process; expires when that is silent |
/// | `B:job:<id>` | hash | the record of a job |
/// | `B:jobs` | sorted set | the ids of all records, in their order |
/// | `B:finished` | sorted set | the ids of finished jobs that are kept, by the millisecond of their end |
/// | `B:report:<id>.<run>` | hash | a report that was not taken yet |
/// | `B:reports` | sorted set | their keys, in their order |
/// | `B:audit` | sorted set | entries of the audit log as JSON, by the millisecond |
/// | `B:control` | hash | what decides when jobs run, by `<kind>:<name>` |
/// | `B:known` | sorted set | places of jobs that were not new, by the number of the call that saved them again |
/// | `B:adopted` | sorted set | what was moved here from another owner and not yet handed out: `job <id>`, `report <key>` |
/// | `<prefix>leader` | string | the `distributor:<name>` that makes the ticks of schedules here |
/// | `<prefix>control` | hash | what is kept of schedules, by `<kind>:<name>`; the leader changes it |
/// | `<prefix>unique` | hash | who has a key: `<owner> <id>` by `<name> <key>`, of jobs whose records are there |
/// | `<prefix>unique:looked` | string | how far the leader has looked through those for some that are free |
/// | `<prefix>place` | string | tells this place from others |
/// | `<prefix>owners` | set | the `node:<name>` and `distributor:<name>` that have been here |
/// | `<prefix>served` | hash | `at`: when an owner was last served; `since`: since when without a gap (ms) |
///
/// A lease that has ended means nothing while the server, or everybody's way to it, was away: its owner could not renew it.
/// So each renewal notes the time in `served`, and after a gap a full lease has to pass, in which those that live renew
/// theirs, before anything is taken over that was not closed.
///
/// Every call carries the epoch of its owner and the number of its connection, and is refused when either is not the
/// newest: what an owner of before, or a connection believed dead, still has under way changes nothing. It also carries a
/// number of its own, and one that comes again is answered as the first time without being applied again.
enum RedisScript: Int, CaseIterable {
    case open, attach, renew, close, save, apply, load, jobs, reports, abandoned, adopt, adopted, note, audit,
        jobsBefore, control, controls, lead,
        saveUnique, freeKeys, unfinished

    private typealias Parts = RedisScriptParts

    var text: String {
        switch self {
        case .open:
            // KEYS: B, owners, place, served. ARGV: instance, lease in ms, a dead holder, the name of B among the owners, a
            // name for the place, then fields. The epochs begin with the time, so that they do not come again in a
            // database that was emptied.
            Parts.serving + """
                local base = KEYS[1]
                local now, since = served(KEYS[4], tonumber(ARGV[2]))
                local holder = redis.call('GET', base .. ':lease')
                local last = redis.call('HMGET', base, 'holder', 'lease', 'closed', 'address')
                local rest = holder and redis.call('PTTL', base .. ':lease') or 0
                if last[1] and last[3] ~= '1' then
                  holder = holder or last[1]
                  rest = math.max(rest, since + tonumber(last[2]) - now)
                end
                if rest > 0 and holder ~= ARGV[1] and holder ~= ARGV[3] then
                  return {0, holder, rest, last[4] or ''}
                end
                redis.call('HSETNX', base, 'epoch', string.format('%.0f', now))
                local epoch = redis.call('HINCRBY', base, 'epoch', 1)
                redis.call('HSET', base, 'connection', 1, 'seq', 0, 'holder', ARGV[1], 'lease', ARGV[2], unpack(ARGV, 6))
                redis.call('HDEL', base, 'closed')
                redis.call('DEL', base .. ':known')
                redis.call('SET', base .. ':lease', ARGV[1], 'PX', ARGV[2])
                redis.call('SADD', KEYS[2], ARGV[4])
                redis.call('DEL', base .. ':adopted')
                redis.call('SET', KEYS[3], ARGV[5], 'NX')
                return {1, string.format('%.0f', epoch), redis.call('GET', KEYS[3])}
                """
        case .attach:
            // KEYS: B, served. ARGV: epoch, instance, lease in ms, connection.
            Parts.serving + Parts.renewal + """
                redis.call('HSET', base, 'connection', ARGV[4])
                return 1
                """
        case .renew:
            // KEYS: B, served. ARGV: epoch, instance, lease in ms.
            Parts.serving + Parts.renewal + """
                return 1
                """
        case .close:
            // ARGV: instance. Who has not heard yet that the lease is its own gives it back as well.
            """
            local base = KEYS[1]
            if redis.call('HGET', base, 'holder') == ARGV[1] then
              redis.call('DEL', base .. ':lease')
              redis.call('HSET', base, 'closed', 1)
            end
            return 1
            """
        case .save:
            // ARGV[4]: the oldest call that may come again. From ARGV[5]: id, count of words, words … Returns the ids
            // that are new.
            Parts.fence + Parts.records + Parts.saving + """
                return save(5)
                """
        case .control:
            // KEYS[2]: leader; [3]: the place's control. ARGV[4]: the oldest call that may come again; [5]: our name among the
            // owners; [6]: how many changes, each S, field, value or R, field and an empty word, or SS and SR for what is the
            // place's; then jobs as for save. Returns the ids that are new.
            Parts.fence + Parts.records + Parts.saving + """
                local i, count = 7, tonumber(ARGV[6])
                for n = 0, count - 1 do
                  if not again and #ARGV[i + 3 * n] == 2 then
                    local leader = redis.call('GET', KEYS[2])
                    if leader ~= ARGV[5] then return redis.error_reply('FOLLOWER ' .. (leader or '')) end
                    break
                  end
                end
                for _ = 1, count do
                  local op = ARGV[i]
                  local key = #op == 2 and KEYS[3] or base .. ':control'
                  if again then
                    -- It is done.
                  elseif op:sub(-1) == 'S' then
                    redis.call('HSET', key, ARGV[i + 1], ARGV[i + 2])
                  else
                    redis.call('HDEL', key, ARGV[i + 1])
                  end
                  i = i + 3
                end
                return save(i)
                """
        case .controls:
            // KEYS[2]: the place's control.
            Parts.fence + """
                local all = redis.call('HGETALL', base .. ':control')
                for _, word in ipairs(redis.call('HGETALL', KEYS[2])) do all[#all + 1] = word end
                return all
                """
        case .lead:
            // KEYS[2]: leader; [3]: unique; [4]: how far that was looked through. ARGV[4]: our name among the owners; [5]: the
            // prefix. Returns the name of the leader. One that lives and has lost its lease, as the server was away, loses no
            // more than the lead: what it changes is refused. The leader drops some keys that crashes have left.
            Parts.fence + """
                local leader = redis.call('GET', KEYS[2])
                if leader and leader ~= ARGV[4] and redis.call('EXISTS', ARGV[5] .. leader .. ':lease') == 1 then
                  return leader
                end
                if leader ~= ARGV[4] then redis.call('SET', KEYS[2], ARGV[4]) end
                local page = redis.call('HSCAN', KEYS[3], redis.call('GET', KEYS[4]) or '0', 'COUNT', 100)
                for i = 1, #page[2], 2 do
                  local owner, id = page[2][i + 1]:match('^(.*) (%x+)$')
                  if not owner or redis.call('EXISTS', ARGV[5] .. owner .. ':job:' .. id) == 0 then
                    redis.call('HDEL', KEYS[3], page[2][i])
                  end
                end
                if page[1] ~= '0' then redis.call('SET', KEYS[4], page[1]) else redis.call('DEL', KEYS[4]) end
                return ARGV[4]
                """
        case .saveUnique:
            // KEYS[2]: unique. ARGV[4]: the oldest call that may come again; [5]: our name among the owners; [6]: the prefix;
            // then id, name and key, count of words, words … Returns the ids of jobs whose keys others have, and of those.
            Parts.fence + Parts.records + """
                local held, i = {}, 7
                while i <= #ARGV do
                  local id, field, count = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2])
                  local mine, known, holder = ARGV[5] .. ' ' .. id, redis.call('HGET', KEYS[2], field), nil
                  if known and known ~= mine then
                    local owner, other = known:match('^(.*) (%x+)$')
                    if owner and (again or redis.call('EXISTS', ARGV[6] .. owner .. ':job:' .. other) == 1) then
                      holder = other
                    end
                  end
                  if holder then
                    held[#held + 1] = id
                    held[#held + 1] = holder
                  elseif not again then
                    local key = base .. ':job:' .. id
                    local status = redis.call('HGET', key, 'status')
                    if not status or is_end(status) then
                      redis.call('HSET', key, words(i + 3, count))
                      if status then drop_old(id, i + 3, count) end
                      change('jobs', id, true)
                    end
                    redis.call('HSET', KEYS[2], field, mine)
                  end
                  i = i + 3 + count
                end
                settle()
                if not again then redis.call('HSET', base, 'seq', ARGV[3]) end
                return held
                """
        case .unfinished:
            // KEYS[2]: owners. ARGV[4]: the prefix; then ids. Returns those that distributors have and that are not finished. Whose
            // record says that a node of this place owns it, of that the nodes' records count.
            Parts.fence + Parts.records + """
                local owners = {distributor = {}, node = {}}
                for _, owner in ipairs(redis.call('SMEMBERS', KEYS[2])) do
                  local role = owner:match('^(%a+):')
                  if owners[role] then table.insert(owners[role], owner) end
                end
                local function open(role, id)
                  for _, owner in ipairs(owners[role]) do
                    local known = redis.call('HMGET', ARGV[4] .. owner .. ':job:' .. id, 'status', 'distributor')
                    if known[1] and not is_end(known[1]) then return known[2] or '' end
                  end
                end
                local found = {}
                for i = 5, #ARGV do
                  local kept = open('distributor', ARGV[i])
                  local node = kept and kept:match('^!?=0: (%S+)$')
                  if node and redis.call('SISMEMBER', KEYS[2], 'node:' .. node) == 1 then kept = open('node', ARGV[i]) end
                  if kept then found[#found + 1] = ARGV[i] end
                end
                return found
                """
        case .freeKeys:
            // KEYS[2]: unique. ARGV[4]: our name among the owners; then name and key, id …
            Parts.fence + """
                for i = 5, #ARGV, 2 do
                  if redis.call('HGET', KEYS[2], ARGV[i]) == ARGV[4] .. ' ' .. ARGV[i + 1] then
                    redis.call('HDEL', KEYS[2], ARGV[i])
                  end
                end
                if not again then redis.call('HSET', base, 'seq', ARGV[3]) end
                return 1
                """
        case .apply:
            // ARGV[4]: now in ms; [5]: finished jobs that are kept at most; [6]: and for how many ms. From ARGV[7], for
            // each change: U id finished count words … report | R id report | T key.
            Parts.fence + Parts.records + """
                if again then return 0 end
                local i, ended = 7, false
                while i <= #ARGV do
                  local op, id = ARGV[i], ARGV[i + 1]
                  if op == 'U' then
                    local count, key = tonumber(ARGV[i + 3]), base .. ':job:' .. id
                    local next, report = keep_report(i + 4 + count)
                    if redis.call('DEL', key) == 1 then
                      redis.call('HSET', key, words(i + 4, count))
                      if ARGV[i + 2] == '1' then
                        redis.call('ZADD', base .. ':finished', 'NX', ARGV[4], id)
                        ended, has_finished = true, true
                      else
                        is_not_finished(id)
                      end
                      store_report(report)
                    end
                    i = next
                  elseif op == 'R' then
                    local next, report = keep_report(i + 2)
                    if remove(id) == 1 then store_report(report) end
                    i = next
                  else
                    taken[#taken + 1] = base .. ':report:' .. id
                    change('reports', id, false)
                    i = i + 2
                  end
                end
                drop_taken()
                if ended then
                  local finished = base .. ':finished'
                  local excess = redis.call('ZCARD', finished) - tonumber(ARGV[5])
                  if excess > 0 then
                    for _, id in ipairs(redis.call('ZRANGE', finished, 0, excess - 1)) do remove(id) end
                  end
                  local oldest = string.format('(%.0f', tonumber(ARGV[4]) - tonumber(ARGV[6]))
                  for _, id in ipairs(redis.call('ZRANGEBYSCORE', finished, '-inf', oldest, 'LIMIT', 0, 1000)) do
                    remove(id)
                  end
                end
                settle()
                redis.call('HSET', base, 'seq', ARGV[3])
                return 1
                """
        case .load:
            // ARGV[4]: id.
            Parts.fence + """
                return redis.call('HGETALL', base .. ':job:' .. ARGV[4])
                """
        case .jobs:
            // ARGV[4]: where the range begins; [5]: limit.
            Parts.fence + Parts.paging + """
                local ids = redis.call('ZRANGEBYLEX', base .. ':jobs', ARGV[4], '+', 'LIMIT', 0, ARGV[5])
                return page(ids, base .. ':job:')
                """
        case .jobsBefore:
            // As for jobs, with the greatest id first.
            Parts.fence + Parts.paging + """
                local ids = redis.call('ZREVRANGEBYLEX', base .. ':jobs', ARGV[4], '-', 'LIMIT', 0, ARGV[5])
                return page(ids, base .. ':job:')
                """
        case .abandoned:
            // KEYS[2]: owners. ARGV[4]: the prefix.
            Parts.fence + """
                local names = {}
                for _, owner in ipairs(redis.call('SMEMBERS', KEYS[2])) do
                  local other = ARGV[4] .. owner
                  if owner:sub(1, 5) == 'node:' and redis.call('EXISTS', other .. ':lease') == 0
                    and redis.call('ZCARD', other .. ':jobs') + redis.call('ZCARD', other .. ':reports') > 0 then
                    names[#names + 1] = owner:sub(6)
                  end
                end
                return names
                """
        case .adopt:
            // KEYS[2]: B of the other; [3]: served. ARGV[4]: where the range begins; [5]: limit; [6]: our name; [7]: our
            // lease in ms; [8]: for how many ms we are connected; from [9]: job names.
            // Returns the last id looked at, empty when it was the last of all; or, as a number, for how many ms the other
            // may still come to renew its lease. Moved a second time there is nothing.
            Parts.fence + Parts.serving + Parts.records + """
                local other = KEYS[2]
                local holder = redis.call('GET', other .. ':lease')
                if holder then return redis.error_reply('HELD ' .. holder) end
                local last = redis.call('HMGET', other, 'epoch', 'lease', 'closed')
                if not last[1] then return '' end
                local now, since = served(KEYS[3], tonumber(ARGV[7]))
                if last[3] ~= '1' then
                  local rest = tonumber(last[2] or ARGV[7]) - math.min(now - since, tonumber(ARGV[8]))
                  if rest > 0 then return math.ceil(rest) end
                end
                redis.call('HINCRBY', other, 'epoch', 1)
                redis.call('HSET', other, 'closed', 1)
                local names = {}
                for i = 9, #ARGV do names[ARGV[i]] = true end
                local moved, bytes = 0, 0
                local function has_room(key)
                  bytes = bytes + redis.call('HSTRLEN', key, 'args')
                  if bytes > \(JobLimits.pageBytes) and moved > 0 then return false end
                  moved = moved + 1
                  return true
                end
                local ids = redis.call('ZRANGEBYLEX', other .. ':jobs', ARGV[4], '+', 'LIMIT', 0, ARGV[5])
                local looked = 0
                for _, id in ipairs(ids) do
                  local key = other .. ':job:' .. id
                  local job = redis.call('HMGET', key, 'name', 'status', 'not_node', 'due_at')
                  if names[job[1]] and not is_end(job[2]) and job[3] ~= ARGV[6] then
                    if not has_room(key) then break end
                    -- One that is here already is the same job, and the other's copy no longer needed; but where that
                    -- ended before this was due, the id was used again.
                    local here = redis.call('HGET', base .. ':job:' .. id, 'status')
                    local last = is_end(here) and redis.call('ZSCORE', base .. ':finished', id)
                    if not here or (last and tonumber(job[4]) / 1000 > tonumber(last)) then
                      if here then is_not_finished(id) end
                      redis.call('RENAME', key, base .. ':job:' .. id)
                      redis.call('ZADD', base .. ':jobs', 0, id)
                      redis.call('ZADD', base .. ':adopted', 0, 'job ' .. id)
                    else
                      redis.call('DEL', key)
                    end
                    redis.call('ZREM', other .. ':jobs', id)
                  end
                  looked = looked + 1
                end
                for _, report in ipairs(redis.call('ZRANGE', other .. ':reports', 0, tonumber(ARGV[5]) - 1)) do
                  if not has_room(other .. ':report:' .. report) then break end
                  redis.call('RENAME', other .. ':report:' .. report, base .. ':report:' .. report)
                  redis.call('ZREM', other .. ':reports', report)
                  redis.call('ZADD', base .. ':reports', 0, report)
                  redis.call('ZADD', base .. ':adopted', 0, 'report ' .. report)
                end
                local more = looked < #ids or #ids == tonumber(ARGV[5]) or redis.call('ZCARD', other .. ':reports') > 0
                if not more then return '' end
                -- Where there are only reports: before all ids.
                return ids[looked] or (ARGV[4] == '-' and ('0'):rep(32) or ARGV[4]:sub(2))
                """
        case .adopted:
            // ARGV[4]: 1 to forget what was handed out before. Returns the jobs, then the reports.
            Parts.fence + """
                if ARGV[4] == '1' then return redis.call('DEL', base .. ':adopted') end
                local jobs, reports = {}, {}
                for _, what in ipairs(redis.call('ZRANGE', base .. ':adopted', 0, -1)) do
                  local kind, key = what:match('^(%a+) (.*)$')
                  local list = kind == 'job' and jobs or reports
                  list[#list + 1] = redis.call('HGETALL', base .. ':' .. kind .. ':' .. key)
                end
                return {jobs, reports}
                """
        case .note:
            // ARGV[4]: how many are kept; [5]: what is older goes, in ms; from ARGV[6]: ms, entry.
            Parts.fence + """
                if again then return 0 end
                local audit = base .. ':audit'
                for i = 6, #ARGV, 2 do redis.call('ZADD', audit, ARGV[i], ARGV[i + 1]) end
                redis.call('ZREMRANGEBYSCORE', audit, '-inf', '(' .. ARGV[5])
                redis.call('ZREMRANGEBYRANK', audit, 0, -1 - tonumber(ARGV[4]))
                redis.call('HSET', base, 'seq', ARGV[3])
                return 1
                """
        case .audit:
            // ARGV[4]: limit.
            Parts.fence + """
                return redis.call('ZREVRANGE', base .. ':audit', 0, tonumber(ARGV[4]) - 1)
                """
        case .reports:
            Parts.fence + Parts.paging + """
                local keys = redis.call('ZRANGEBYLEX', base .. ':reports', ARGV[4], '+', 'LIMIT', 0, ARGV[5])
                return page(keys, base .. ':report:')
                """
        }
    }
}
