---@meta

-- What JobReactor's job scripts find beside Lua's own libraries, for editors (LuaCATS) and for the Lua reference.
-- Times are seconds since 1970, waits are seconds; both may have fractions.

-- ## Jobs

-- A script defines jobs while it is loaded. Their functions run later, each time that such a job runs.

---The rules for retries and the timeout of a job.
---@class job.policy
---@field max_attempt? integer total number of attempts, from 1; with 1 the job is never tried again. Default 10
---@field retry_multiplier? number seconds; the wait after the n-th attempt is n times as long. Default 5
---@field backoff? 'linear'|'exponential'|fun(attempt: integer, error: any): number how the waits grow: by the same amount each time (the default), or to twice the previous wait; or a function that gets the attempt and the error and returns seconds
---@field jitter? number the random share of each wait, from 0 to 1. Default 0
---@field max_retry_delay? number the longest wait in seconds. Default none
---@field timeout? number maximum seconds of one attempt; then it is interrupted and has failed. Default none
---@field priority? integer from 0 (last) to 9 (first), unless the producer sets one. Default 5
---@field limit? string|limit.options|(string|limit.options)[] limits for its runs: the name of a `limit`, a limit of its own, or a list of them

---As a table, `job` is the current job. Reading these fields outside a run is an error.
---@class job
---@field id string 32 hexadecimal digits, in order of time
---@field name string
---@field attempt integer from 1 on
---@field schedule? string the name of the schedule that made the job
---@field tick? number the time at which the schedule was due
---@overload fun(name: string, policy: job.policy, fn: fun(args: table))
---@overload fun(name: string, fn: fun(args: table))
---@overload fun(name: string, policy?: job.policy): fun(fn: fun(args: table))

---Defines a job. `fn` gets the args that were enqueued; the content of the table at the end is the result. A raised
---error fails the attempt. When two scripts define a job, the later definition counts, and the log warns.
---```lua
---job('resize', { max_attempt = 3 }, function(args) args.result = 'Yay!' end)
---job 'resize' (function(args) args.result = 'Yay!' end)
---```
---@type job
job = {}

---Reports how far the job is; the application gets the newest report. One of the arguments may be nil.
---```lua
---job.progress(0.5, 'half of the files')
---```
---@param fraction? number from 0 to 1
---@param text? string
function job.progress(fraction, text) end

---Returns whether the node is stopping and waits for this job to end.
---```lua
---while not job.stopping() do work() end
---```
---@return boolean
function job.stopping() end

---In an errback: sets the wait before the next attempt. The last call counts; it overrides the policy.
---```lua
---job_errback('fetch', function(args) if args.error == 'busy' then job.retry_in(60) end end)
---```
---@param seconds number from 0 to 1e9
function job.retry_in(seconds) end

---Ends the job at once, for good. In the job or a callback, the success feedback gets the current args; in an errback,
---the error feedback gets them. `pcall` does not catch it.
---```lua
---if not args.path then job.cancel() end
---```
function job.cancel() end

---Defines a further step of a job. It runs after the body and the callbacks defined before, on the same args. The label
---is for people.
---```lua
---job_callback('resize', 'notify', function(args) log.info('resized:', args.result) end)
---```
---@param name string a job that some script defines
---@param label string
---@param fn fun(args: table)
---@overload fun(name: string, fn: fun(args: table))
---@overload fun(name: string, label?: string): fun(fn: fun(args: table))
function job_callback(name, label, fn) end

---Defines a step that runs when the job or a callback raised an error. It gets the args from before the run, with
---`args.error`: a text `file:line: text`, or the raised table. The next attempt sees keys that it adds to the args.
---```lua
---job_errback('resize', function(args) os.remove(args.path .. '.part') end)
---```
---@param name string a job that some script defines
---@param label string
---@param fn fun(args: table)
---@overload fun(name: string, fn: fun(args: table))
---@overload fun(name: string, label?: string): fun(fn: fun(args: table))
function job_errback(name, label, fn) end

---The same as `job.progress`.
---```lua
---progress(i / #files, files[i])
---```
---@param fraction? number from 0 to 1
---@param text? string
function progress(fraction, text) end

---The same as `job.retry_in`.
---```lua
---retry_in(0.5)
---```
---@param seconds number from 0 to 1e9
function retry_in(seconds) end

---The same as `job.cancel`.
---```lua
---cancel_job()
---```
function cancel_job() end

---Raise it with `error(CancelJob)` to cancel the job, as `job.cancel` does.
---```lua
---error(CancelJob)
---```
---@type userdata
CancelJob = nil

-- ## When jobs run

-- Scripts define schedules and limits while they are loaded. They apply while a node with these scripts is connected.

---@class schedule.options
---@field timezone? string an IANA name, such as `Europe/Berlin`. Default `UTC`
---@field overlap? 'skip'|'queue'|'allow'|'cancel' while the job of an earlier tick is unfinished: the tick is skipped (the default), the newest tick waits, both run, or the earlier job is cancelled
---@field catch_up? 'last'|'all'|'none' which missed ticks are made up: the newest (the default), all, the oldest first, or none
---@field window? number maximum lateness in seconds; a later tick is dropped. Default 86,400
---@field jitter? number maximum random delay of a tick in seconds. Default 0
---@field dst_gap? 'run'|'skip' whether a tick whose local time does not exist is due at the end of the gap (the default), or not at all
---@field dst_repeat? 'first'|'last'|'both' which runs of a tick whose local time occurs twice. Default the first
---@field heartbeat? string a URL to request after each successful run
---@field late_after? number seconds within which a tick must begin; otherwise the schedule is late. Default 60
---@field starts? number time before which it is not due
---@field ends? number time after which it is not due

---Enqueues a job repeatedly: by the calendar (minute, hour, day of month, month, day of week; with six fields seconds
---come first; short forms such as `@daily`), or at an interval, `every` so many `s`, `m`, `h` or `d`. A spec that can
---never be due is an error. The job has `job.schedule` and `job.tick`.
---```lua
---schedule('nightly_report', '30 2 * * *', { timezone = 'Europe/Berlin' }, 'report', { kind = 'full' })
---schedule('heartbeat', 'every 90s', 'ping')
---```
---@param name string
---@param spec string
---@param options schedule.options
---@param job string the name of the job
---@param args? table any JSON object
---@overload fun(name: string, spec: string, job: string, args?: table)
function schedule(name, spec, options, job, args) end

---@class limit.options
---@field concurrency? integer runs at once; suspended runs count
---@field rate? integer runs that begin within `per` seconds
---@field per? number seconds. Default 1
---@field key? string a member of args, whose values are counted separately
---@field when_full? 'wait'|'discard' what happens to a job that may not run yet: it waits (the default), or ends as cancelled

---Defines a limit that several jobs share, each by `limit = 'name'` in its policy. A job may have several limits, and
---one of its own.
---```lua
---limit('crm', { concurrency = 10 })
---job('call_api', { limit = { 'crm', { key = 'account', rate = 100, per = 60 } } }, function(args) end)
---```
---@param name string
---@param options limit.options
function limit(name, options) end

-- ## Other jobs

---@class enqueue.options
---@field after? number seconds to wait before the first run
---@field run_at? number the earliest time of the run; a time in the past means now
---@field period? number seconds from the end of each run to the next one
---@field node? string the node that it prefers
---@field not_node? string the node that must not run it
---@field defer? boolean whether it runs on a thread beside the reactor lane, for heavy work
---@field max_attempt? integer total number of attempts, instead of the job's own policy
---@field retry_multiplier? number seconds by which the wait grows from one retry to the next, instead of the job's own policy
---@field priority? integer from 0 (last) to 9 (first), instead of the job's own policy; else 5
---@field unique? string|boolean a key that at most one job of this name holds at a time; `true` derives it from the args
---@field unique_for? number minimum seconds for which the key is held. Default until the job is finished
---@field on_conflict? 'keep'|'replace'|'again'|'raise' if another job holds the key: that job stays and its id is returned (the default), it gets these args and options while it waits, it also runs once more if it runs already, or an error is raised
---@field id? string 32 hexadecimal digits; a second job with the id of an unfinished job counts as that job

---Gives a job to the distributor and returns its id. With `success` or `failure` the running job waits for the outcome
---before it ends, and that function is called with the args of the outcome; those of a failure have `error`. A table of
---jobs is enqueued in one call. Raises an error for a wrong name, wrong args or options. The run ends only when all
---jobs that it enqueued have been accepted. With `unique` the running job is suspended until the distributor has
---decided which job holds the key; the id of that job is returned.
---```lua
---enqueue('notify', { user = 7 }, { after = 60 })
---local ids = enqueue { { 'notify', { user = 7 } }, { 'notify', { user = 8 } } }
---```
---@param name string
---@param args? table any JSON object
---@param options? enqueue.options
---@param success? fun(args: table)
---@param failure? fun(args: table)
---@return string id
---@overload fun(jobs: table[]): string[]
function enqueue(name, args, options, success, failure) end

---Enqueues a job, waits for its outcome, and returns its args. Raises its error if it fails for good. Other jobs run
---meanwhile.
---```lua
---local thumbnail = perform('resize', { path = 'cat.png', width = 200 })
---```
---@param name string
---@param args? table any JSON object
---@param options? enqueue.options
---@return table args
function perform(name, args, options) end

-- ## Suspension and tasks

-- While a job is suspended, others run, with the same globals.

---@class task
local task = {}

---Suspends the job, or the task, that calls it.
---```lua
---sleep(0.5)
---```
---@param seconds number from 0 to 1e9
function sleep(seconds) end

---Starts a task: calls the function at once, up to its first suspension, and then continues beside it. A step ends when
---its tasks have ended. An error in a task is an error of the step, unless the script waited for the task.
---```lua
---local pages = spawn(http.get, 'https://example.org')
---```
---@param fn function
---@param ... any its arguments
---@return task
function spawn(fn, ...) end

---As `spawn`, after that many seconds.
---```lua
---after(5, log.info, 'five seconds later')
---```
---@param seconds number from 0 to 1e9
---@param fn function
---@param ... any its arguments
---@return task
function after(seconds, fn, ...) end

---Calls the function repeatedly until the step that started it ends. Calls that are due during a longer call are
---skipped.
---```lua
---local beat = every(10, function() progress(nil, 'still at it') end)
---```
---@param seconds number from 0.001 to 1e9
---@param fn function
---@param ... any its arguments
---@return task
function every(seconds, fn, ...) end

---Waits for tasks to end. Returns all results of one task, or the first result of each of several. Raises a task's
---error. A cancelled task has no results.
---```lua
---local a, b = wait(spawn(http.get, first), spawn(http.get, second))
---```
---@param task task
---@param ... task
---@return any ...
function wait(task, ...) end

---Ends the task at its next suspension; returns whether it was still alive.
---```lua
---beat:cancel()
---```
---@return boolean
function task:cancel() end

---Returns the state of the task.
---```lua
---if beat:status() == 'running' then beat:cancel() end
---```
---@return 'running'|'done'|'failed'|'cancelled'
function task:status() end

-- ## HTTP

---@class http.options
---@field url? string
---@field method? string default `GET`, with `http.post` `POST`
---@field headers? table<string, string|string[]>
---@field query? table<string, any> added to the URL, percent-encoded; a list gives several values of one name
---@field body? string
---@field json? any sent as JSON, instead of a body
---@field timeout? number seconds for the whole request, after it has waited for its turn. Default 30
---@field max_bytes? integer a longer body is an error. Default 16 MiB, and none with `file`
---@field redirects? integer the largest number of redirects; more are an error, and with 0 the redirect is the response. Default 5
---@field file? string write the body to this file, which exists only when all of it has arrived; the body of a status other than 2xx is in `body`. Not with `--sandbox strict`
---@field any_status? boolean whether the file gets the body with any status. Default false
---@field ca? string file of certificates in PEM to trust, instead of those of the system or of `SSL_CERT_FILE`; not with `--sandbox strict`
---@field insecure? boolean whether any certificate is accepted. Default false
---@field secret_headers? string[] names of headers that are not sent to another host after a redirect; `authorization` and `cookie` never are

---@class http.response
---@field status integer any status is returned: 404 is no error
---@field headers table<string, string> by names in lower case; several of one name are joined by `, `, but `set-cookie` is a list
---@field body? string bytes; nil when they are in the file
---@field size? integer bytes of the body or the file
---@field url string the last URL, after redirects
local response = {}

http = {}

---Sends a GET request. Raises an error when no answer arrives: refused, no such host, no trusted certificate, timeout.
---```lua
---local answer = http.get('https://example.org/cats', { query = { page = 2 } })
---if answer.status == 200 then args.cats = answer:json() end
---```
---@param url string
---@param options? http.options
---@return http.response
function http.get(url, options) end

---Sends a POST request with a body; otherwise as `http.get`.
---```lua
---http.post('https://example.org/cats', nil, { json = { name = 'Tom' } })
---```
---@param url string
---@param body? string
---@param options? http.options
---@return http.response
function http.post(url, body, options) end

---Sends any request.
---```lua
---http.request { url = 'https://example.org/cats/7', method = 'DELETE', timeout = 5 }
---```
---@param options http.options
---@return http.response
function http.request(options) end

---Returns the value of the JSON in the body; raises an error when it is not JSON.
---```lua
---local cats = http.get(url):json()
---```
---@return any
function response:json() end

-- ## Programs

---@class exec.options
---@field [integer] string the program and its arguments
---@field stdin? string
---@field timeout? number seconds from its start; then the program is ended and an error is raised. Default 60
---@field env? table<string, string> variables added to the environment of the node
---@field directory? string its working directory
---@field max_output? integer bytes for each of stdout and stderr; with more the program is ended and an error is raised. Default 1 MiB

---@class exec.result
---@field status? integer a status other than 0 is no error; nil when a signal ended the program
---@field signal? integer
---@field stdout string
---@field stderr string

---Runs a program, found on PATH or by its path, without a shell. Raises an error when it does not exist. Not with
---`--sandbox strict`.
---```lua
---local result = exec('convert', args.path, '-resize', '200', args.path .. '.small')
---local sorted = exec { 'sort', '-n', stdin = '2\n1\n', timeout = 5 }.stdout
---```
---@param program string
---@param ... string|number its arguments
---@return exec.result
---@overload fun(options: exec.options): exec.result
function exec(program, ...) end

-- ## Redis

---@class redis.connection
local connection = {}

redis = {}

---Returns a handle on a Redis server. Jobs of a node share one connection to each URL, which reconnects by itself.
---```lua
---local cache = redis.connect('redis://127.0.0.1:6379/0')
---```
---@param url? string `redis://` or, over TLS, `rediss://`. Default `redis://127.0.0.1:6379/0`
---@return redis.connection
function redis.connect(url) end

---Sends a command and returns its answer; in a list, nil becomes false. Raises an error if Redis answers an error, if
---the connection is lost and it is unknown whether the command was executed, and for commands that would block the
---connection.
---```lua
---cache:call('SET', 'cats', 7, 'EX', 60)
---```
---@param command string
---@param ... string|number
---@return string|integer|table|nil
function connection:call(command, ...) end

---Releases the handle.
---```lua
---cache:close()
---```
function connection:close() end

-- ## JSON

json = {}

---Returns the JSON of a value. Raises an error with the path of the key for values that JSON cannot represent:
---functions, cycles, NaN, text that is not UTF-8.
---```lua
---json.encode({ cats = json.array() }) -- {"cats":[]}
---```
---@param value any
---@return string
function json.encode(value) end

---Returns the value of a JSON text: 64-bit integers, floats, `json.null`. Raises an error for text that is not JSON.
---```lua
---json.decode('{"cats":7}').cats -- 7
---```
---@param text string
---@return any
function json.decode(text) end

---Marks a table (by default a new one) as an array, so that it is `[]` when it is empty.
---```lua
---args.cats = json.array()
---```
---@param list? table
---@return table
function json.array(list) end

---The value null; with nil the key would be missing.
---```lua
---args.owner = json.null
---```
---@type lightuserdata
json.null = nil

-- ## The log

-- `print` is `log.info`. Arguments become text with tabs between them.

log = {}

---Writes to the node's log at level debug, with the job's name and id.
---```lua
---log.debug('took', seconds, 's')
---```
---@param ... any
function log.debug(...) end

---As `log.debug`, at level info.
---```lua
---log.info('resized', args.path)
---```
---@param ... any
function log.info(...) end

---As `log.debug`, at level warning.
---```lua
---log.warn('no cats today')
---```
---@param ... any
function log.warn(...) end

---As `log.debug`, at level error.
---```lua
---log.error('no cats at all')
---```
---@param ... any
function log.error(...) end

-- ## Time, ids and settings

---Returns seconds since 1970, with a fraction.
---```lua
---local began = now()
---```
---@return number
function now() end

---Returns a random UUID.
---```lua
---uuid() -- 0b7c1c62-53a4-4c6c-9d32-2f4b0a7f1d55
---```
---@return string
function uuid() end

---The node's environment variables: `env.NAME` is nil if it is not set; `env('NAME', default)` returns the default.
---Empty with `--sandbox strict`.
---```lua
---local key = env.API_KEY or error('set API_KEY')
---```
---@type table<string, string> | fun(name: string, default?: string): string?
env = {}

-- ## Hashes and encodings

-- Texts are bytes. Decoding a text that is not of the encoding is an error.

hash = {}

---SHA-256, as hexadecimal digits.
---```lua
---hash.sha256('abc')
---```
---@param bytes string
---@return string
function hash.sha256(bytes) end

---SHA-512, as hexadecimal digits.
---```lua
---hash.sha512('abc')
---```
---@param bytes string
---@return string
function hash.sha512(bytes) end

---SHA-1, as hexadecimal digits: for protocols that need it, not for security.
---```lua
---hash.sha1('abc')
---```
---@param bytes string
---@return string
function hash.sha1(bytes) end

---MD5, as hexadecimal digits: for protocols that need it, not for security.
---```lua
---hash.md5('abc')
---```
---@param bytes string
---@return string
function hash.md5(bytes) end

---HMAC with SHA-256, as hexadecimal digits.
---```lua
---hash.hmac_sha256(env.SECRET, body)
---```
---@param key string
---@param bytes string
---@return string
function hash.hmac_sha256(key, bytes) end

---Two hexadecimal digits for each byte.
---```lua
---hash.hex('abc') -- 616263
---```
---@param bytes string
---@return string
function hash.hex(bytes) end

---Decodes hexadecimal digits to bytes.
---```lua
---hash.unhex('616263') -- abc
---```
---@param text string
---@return string
function hash.unhex(text) end

---Base64, with padding.
---```lua
---hash.base64('abc') -- YWJj
---```
---@param bytes string
---@return string
function hash.base64(bytes) end

---Decodes Base64 to bytes.
---```lua
---hash.unbase64('YWJj') -- abc
---```
---@param text string
---@return string
function hash.unbase64(text) end

---Base64 for URLs, without padding.
---```lua
---hash.base64url(hash.random(16))
---```
---@param bytes string
---@return string
function hash.base64url(bytes) end

---Decodes Base64 for URLs to bytes.
---```lua
---hash.unbase64url('YWJj') -- abc
---```
---@param text string
---@return string
function hash.unbase64url(text) end

---Compares two texts in a time that does not depend on where they differ.
---```lua
---if not hash.equal(signature, expected) then error('forged') end
---```
---@param a string
---@param b string
---@return boolean
function hash.equal(a, b) end

---Returns secure random bytes.
---```lua
---local token = hash.hex(hash.random(16))
---```
---@param count integer
---@return string
function hash.random(count) end

-- ## URLs

---@class url.parts
---@field scheme? string in lower case
---@field user? string
---@field password? string
---@field host? string in lower case
---@field port? integer
---@field path? string
---@field query? string unchanged, as in the URL
---@field fragment? string
---@field parameters? table<string, string|string[]> of the query; a repeated one is a list

url = {}

---Escapes every character that has a meaning in URLs as `%XX`.
---```lua
---url.escape('tom & jerry') -- tom%20%26%20jerry
---```
---@param text any
---@return string
function url.escape(text) end

---Undoes `url.escape`; `+` is a space.
---```lua
---url.unescape('tom+%26+jerry') -- tom & jerry
---```
---@param text string
---@return string
function url.unescape(text) end

---Returns the query of these parameters, sorted by name; a list gives several values of one name.
---```lua
---url.query { page = 2, tag = { 'a', 'b' } } -- page=2&tag=a&tag=b
---```
---@param parameters table<string, any>
---@return string
function url.query(parameters) end

---Splits a URL into its parts.
---```lua
---url.parse('https://example.org:8080/cats?page=2').parameters.page -- 2
---```
---@param text string
---@return url.parts
function url.parse(text) end

---Makes a URL of its parts; `parameters` override `query`.
---```lua
---url.build { scheme = 'https', host = 'example.org', path = '/cats', parameters = { page = 2 } }
---```
---@param parts url.parts
---@return string
function url.build(parts) end

-- ## What jobs share

-- A dictionary that all threads and all generations of scripts of one node share. It is in memory, and ends with the
-- node. Values are booleans, numbers, strings, and tables that JSON can represent; tables are copied. A `ttl` is in
-- seconds, from the time when the value is set.

shared = {}

---Returns the value; nil if there is none or its time is over.
---```lua
---local token = shared.get('token')
---```
---@param key string
---@return any
function shared.get(key) end

---Sets a value; nil removes it.
---```lua
---shared.set('token', token, 3600)
---```
---@param key string
---@param value any
---@param ttl? number seconds. Default for ever
function shared.set(key, value, ttl) end

---Sets a value only if there is none; returns whether it did.
---```lua
---if shared.add('lock:' .. args.user, true, 60) then work() end
---```
---@param key string
---@param value any
---@param ttl? number seconds. Default for ever
---@return boolean
function shared.add(key, value, ttl) end

---Adds to a number (0 if there is none) and returns the sum. Raises an error if the value is not a number.
---```lua
---local count = shared.incr('calls', 1, 60)
---```
---@param key string
---@param by? number default 1
---@param ttl? number seconds, for a number that this call creates. Default for ever
---@return number
function shared.incr(key, by, ttl) end

---Removes a value; returns whether there was one.
---```lua
---shared.delete('token')
---```
---@param key string
---@return boolean
function shared.delete(key) end

-- ## Tests

-- For files that end in `_test.lua`, which `jobreactor test` runs and nodes ignore. A test has no effect outside the
-- process unless it calls `fake.none()`: a fake answers each call to the outside; without a fake the call is an error
-- that names the missing one. Each test begins without fakes, with an empty `shared`, and with a clock that stands
-- still: `sleep` returns at once and moves the clock. Globals of scripts stay as earlier tests left them, and the
-- `timeout` of a policy counts real seconds.

---The outcome of one run of a job, as a node makes it.
---@class run.outcome
---@field status 'complete'|'error'|'failed'|'cancelled' a job with `error` would be tried again
---@field args table the args at the end; after a failed run, those from before it with the keys that errbacks added
---@field attempt integer
---@field error? any the raised error: a text `file:line: text`, or a table
---@field errback_error? string
---@field traceback? string
---@field retry_in? number with status `error`: seconds until the next attempt
---@field enqueued table[] `{ name, args, options }` of each job that it enqueued
---@field log string[] lines; at levels other than info they begin with the level: `warning: no cats`
---@field slept number seconds by which the clock was moved
---@field progress? { fraction: number?, text: string } the last report
---@field waits? number[] of `run_until_done`: seconds between the attempts
---@field tick? number of `run_schedule`: the time at which the schedule was due

---Defines a test. A test fails when it raises an error.
---```lua
---test('resizes a picture', function()
---    fake.exec(function(program, ...) return { status = 0 } end)
---    local outcome = run('resize', { path = 'cat.png' })
---    equal(outcome.status, 'complete')
---end)
---```
---@param title string
---@param fn fun()
function test(title, fn) end

---Runs a job once, with its callbacks or errbacks. Raises an error if no script defines it.
---```lua
---local outcome = run('resize', { path = 'cat.png' })
---```
---@param name string
---@param args? table
---@param attempt? integer default 1
---@return run.outcome
function run(name, args, attempt) end

---Runs a job repeatedly, as a node does after failures, until it is complete, failed or cancelled. Returns the last
---outcome, with the enqueued jobs, log and sleeps of all attempts. The waits move the clock and take no time.
---```lua
---equal(run_until_done('fetch', { url = 'https://example.org' }).waits, { 5, 10 })
---```
---@param name string
---@param args? table
---@return run.outcome
function run_until_done(name, args) end

---Moves the clock forward by so many seconds, and runs the job of each tick of a schedule that is due meanwhile, once,
---with the clock at that tick. Returns the outcomes in order. Intervals count from the start.
---```lua
---fake.now(1774656000) -- 2026-03-28T00:00:00Z
---local outcomes = run_schedule('nightly_report', 3 * 86400)
---equal(#outcomes, 3)
---```
---@param name string
---@param seconds number
---@return run.outcome[]
function run_schedule(name, seconds) end

---Compares two values by content; raises an error that lists each difference with its path.
---```lua
---equal(outcome.args, { path = 'cat.png', result = 'Yay!' })
---```
---@param got any
---@param expected any
function equal(got, expected) end

fake = {}

---Answers each HTTP request of this test. The request has `method`, `url`, `headers` by names in lower case, `body` and
---the other options. The response needs only the relevant fields, and may have `json` instead of a body. An error in
---the function is raised in the job.
---```lua
---fake.http(function(request) return { status = 200, json = { cats = 7 } } end)
---```
---@param fn fun(request: http.options): http.response
function fake.http(fn) end

---Answers each program that this test runs. Options are a table after the arguments.
---```lua
---fake.exec(function(program, ...) return { status = 1, stderr = 'no such picture' } end)
---```
---@param fn fun(program: string, ...: any): exec.result
function fake.exec(fn) end

---Answers each Redis command of this test.
---```lua
---fake.redis(function(command, ...) return 'OK' end)
---```
---@param fn fun(command: string, ...: any): any
function fake.redis(fn) end

---Answers `perform` of that job, and `enqueue` with functions for its outcome: with the args of the outcome, or an
---error.
---```lua
---fake.perform('resize', function(args) return { path = args.path, result = 'Yay!' } end)
---```
---@param name string
---@param fn fun(args: table): table
function fake.perform(name, fn) end

---Sets the clock of this test: `now`, `os.time` and `os.date`.
---```lua
---fake.now(1700000000)
---```
---@param seconds number since 1970
function fake.now(seconds) end

---Lets this test reach the outside: everything without a fake is real, including time. Jobs are still not enqueued
---anywhere.
---```lua
---fake.none()
---```
function fake.none() end
