import JobReactorCore
import NIOHTTP1
import Testing

/// The same through the Lua texts, as a script would: tables in tables, functions, metatables that raise.
@Suite("Hostile scripts", .serialized, .timeLimit(.minutes(10))) struct HostileScriptsTests {
    private static let script = """
        math.randomseed(args.seed)
        local random, pick = math.random, nil
        local every_byte = {}
        for byte = 0, 255 do every_byte[#every_byte + 1] = string.char(byte) end
        every_byte = table.concat(every_byte)
        local deep = {}
        for _ = 1, 200 do deep = { deep } end
        local cycle = {}
        cycle.cycle = cycle
        local function no() error('no') end
        local values = {
          true, false, 0, -1, 1, 101, math.maxinteger, math.mininteger, 0.5, 0/0, 1/0, -1/0, 1e308, -1e-308, '', '\\0', '\\r\\n', '%',
          'a\\0b', every_byte, ('x'):rep(9000), ('\\255'):rep(9), 'http://127.0.0.1:70000/', 'redis://127.0.0.1:0', {}, { 1, 2 }, { {} },
          { a = { b = {} } }, deep, cycle, print, no, coroutine.create(no), io.stdout, json.null, json.array(),
          setmetatable({}, { __index = no, __len = no, __pairs = no, __tostring = no, __name = 7 }),
          setmetatable({ 'a' }, { __index = no, __metatable = no }),
        }
        function pick() return values[random(#values + 1)] end
        local names = { 'url', 'method', 'headers', 'query', 'body', 'json', 'timeout', 'max_bytes', 'redirects', 'file', 'any_status',
          'insecure', 'ca', 'secret_headers', 'none' }
        local function options()
          local own = { url = args.url, timeout = 20 }
          for _ = 1, random(0, 3) do own[names[random(#names)]] = pick() end
          if random(4) == 1 then own.headers = { ['X-A'] = pick(), [random(2) == 1 and 'X-B' or every_byte] = pick() } end
          if random(4) == 1 then own.query = { a = pick(), [random(2) == 1 and 'b' or every_byte] = pick() } end
          return own
        end
        local program_names = { 'stdin', 'timeout', 'env', 'directory', 'max_output', 'none' }
        local function program()
          local own = { 'true' }
          for _ = 1, random(0, 2) do own[program_names[random(#program_names)]] = pick() end
          if random(3) == 1 then own.env = { [random(2) == 1 and 'A' or every_byte] = pick() } end
          if random(3) == 1 then own[random(3)] = pick() end
          return own
        end
        local cache = redis.connect('redis://127.0.0.1:1')
        cache:close()
        local calls = {
          function() return http.request(options()) end, function() return http.get(args.url, options()) end,
          function() return http.post(args.url, pick(), options()) end, function() return http.request(pick()) end,
          function() return http.get(pick(), pick()) end, function() return http.post(pick(), pick(), pick()) end,
          function() return http.get(args.url):json() end, function() return exec(program()) end,
          function() return exec('true', pick(), pick()) end, function() return exec(pick()) end,
          function() return redis.connect(pick()) end, function() return cache:call(pick(), pick()) end,
          function() return cache.call(pick(), pick()) end, function() return cache.close(pick()) end,
        }
        for name, fn in pairs(hash) do
          calls[#calls + 1] = function() return fn(pick(), pick()) end
          calls[#calls + 1] = function() return fn(pick()) end
        end
        for _ = 1, 300 do
          local is_good, problem = pcall(calls[random(#calls)])
          if not is_good and type(problem) ~= 'string' then error('an error that is no text: ' .. type(problem)) end
        end
        args.done = true
        """

    @Test("end in results and errors, and the lane goes on", arguments: 1...2)
    func scripts(_ seed: Int) async throws {
        try await WebServer.with({ .text($0.uri) }) { server in
            let args = try await ScriptGlobals.run(
                Self.script, ["url": .string(server.url + "/"), "seed": .integer(Int64(seed))])
            #expect(args["done"] == true)
        }
    }
}
