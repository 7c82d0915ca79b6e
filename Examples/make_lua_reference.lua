-- Writes the Lua reference of the documentation, between the marker comments of its two pages, from the definitions
-- that editors read:
--
--     lua5.4 Examples/make_lua_reference.lua
--
-- As a module it is the function that puts the reference into a page; so the tests see that pages and definitions
-- agree.

local DEFINITIONS = 'Sources/JobReactorLua/Definitions/jobreactor.lua'
local FOLDER = 'Sources/JobReactor/JobReactor.docc/Lua/'
local PAGES = { FOLDER .. 'LuaReference.md', FOLDER .. 'TestingJobs.md' }
local BEGIN = '<!%-%- lua reference([%w ]*): made by Examples/make_lua_reference%.lua %-%->\n'
local END = '<!-- end of the lua reference -->\n'
-- What tests find has a page of its own, which has the title of the section.
local TESTS = 'Tests'

-- One paragraph of lines, as one line.
local function joined(lines) return (table.concat(lines, ' '):gsub('%s+', ' '):gsub('^ ', ''):gsub(' $', '')) end

-- The type at the start of a text, which may have spaces inside brackets, behind a comma or a colon, and the rest.
local function split_type(text)
    local depth, quoted = 0, false
    for at = 1, #text do
        local byte = text:sub(at, at)
        if byte == "'" then quoted = not quoted end
        if not quoted and byte:find('[%(<{%[]') then depth = depth + 1 end
        if not quoted and byte:find('[%)>}%]]') then depth = depth - 1 end
        local before = text:sub(at - 1, at - 1)
        if byte == ' ' and depth == 0 and not quoted and before ~= ':' then
            return text:sub(1, at - 1), text:sub(at + 1)
        end
    end
    return text, ''
end

-- A type within a cell of a table.
local function cell(text) return '`' .. text:gsub('|', '\\|') .. '`' end

-- Reads the definitions into sections with entries: functions, values and classes.
local function read(source)
    local sections, section = {}, nil
    local words, example, in_example, class, parameters, returned = {}, {}, false, nil, {}, {}
    local function forget() words, example, class, parameters, returned = {}, {}, nil, {}, {} end
    local function add(entry)
        entry.text, entry.example = joined(words), table.concat(example, '\n')
        table.insert(section.entries, entry)
        forget()
    end
    for line in (source .. '\n'):gmatch('(.-)\n') do
        local doc = line:match('^%-%-%-(.*)$')
        if line:match('^%-%- ## ') then
            section = { title = line:sub(7), intro = {}, entries = {} }
            table.insert(sections, section)
        elseif line:match('^%-%- ') and section and #section.entries == 0 then
            table.insert(section.intro, line:sub(4))
        elseif doc == '```lua' then
            in_example = true
        elseif doc == '```' then
            in_example = false
        elseif doc and in_example then
            table.insert(example, doc)
        elseif doc and doc:match('^@class ') then
            class = { name = doc:match('^@class (%S+)'), fields = {} }
        elseif doc and doc:match('^@field ') then
            local name, rest = doc:match('^@field (%b[])%s+(.*)$')
            if not name then name, rest = doc:match('^@field (%S+)%s+(.*)$') end
            local kind, text = split_type(rest)
            table.insert(class.fields, { name = name, type = kind, text = text })
        elseif doc and doc:match('^@param ') then
            local name, rest = doc:match('^@param (%S+)%s+(.*)$')
            local kind, text = split_type(rest)
            table.insert(parameters, { name = name, type = kind, text = text })
        elseif doc and doc:match('^@return ') then
            table.insert(returned, (split_type(doc:sub(9))))
        elseif doc and doc:sub(1, 1) ~= '@' then
            table.insert(words, doc)
        elseif line:match('^function ') then
            add {
                kind = 'function', name = line:match('^function ([%w_.:]+)'), parameters = parameters,
                returned = returned,
            }
        elseif line == '' or line:match('^local ') then
            if class then add { kind = 'class', class = class } end
            forget()
        elseif line:match('^[%w_.]+ = ') and section then
            -- What is only the place of functions has nothing said of it.
            if #words > 0 then add { kind = 'value', name = line:match('^([%w_.]+) = ') } end
            forget()
        end
    end
    return sections
end

-- Adds text in lines of at most 120 bytes, those behind the first indented.
local function add_wrapped(out, text, indent)
    local line = ''
    for word in text:gmatch('%S+') do
        -- What would begin a list or a heading stays where it is.
        local is_mark = word:find('^[%-%+%*#>]') or word:find('^%d+[%.%)]$')
        if line == '' then
            line = word
        elseif #line + 1 + #word > 120 and not is_mark then
            table.insert(out, line)
            line = indent .. word
        else
            line = line .. ' ' .. word
        end
    end
    table.insert(out, line)
end

local function signature(entry)
    if entry.kind == 'value' then return '`' .. entry.name .. '`' end
    local names = {}
    for _, parameter in ipairs(entry.parameters) do table.insert(names, parameter.name) end
    local text = '`' .. entry.name .. '(' .. table.concat(names, ', ') .. ')`'
    if #entry.returned > 0 then text = text .. ' → `' .. table.concat(entry.returned, ', ') .. '`' end
    return text
end

-- What is said of parameters beside their names.
local function notes(parameters)
    local said = {}
    for _, parameter in ipairs(parameters or {}) do
        if parameter.text ~= '' then
            table.insert(said, '`' .. parameter.name:gsub('%?$', '') .. '`: ' .. parameter.text)
        end
    end
    return #said > 0 and ' (' .. table.concat(said, '; ') .. ')' or ''
end

local function write_class(out, class, text)
    if #class.fields == 0 then return end
    if out[#out] ~= '' then table.insert(out, '') end
    add_wrapped(out, '`' .. class.name .. '`' .. (text ~= '' and ': ' .. text or ''), '')
    table.insert(out, '')
    table.insert(out, '| field | type | |')
    table.insert(out, '|---|---|---|')
    for _, field in ipairs(class.fields) do
        local said = field.text ~= '' and field.text:gsub('|', '\\|') .. ' ' or ''
        table.insert(out, '| `' .. field.name .. '` | ' .. cell(field.type) .. ' | ' .. said .. '|')
    end
    table.insert(out, '')
end

local function write_entry(out, entry)
    if entry.kind == 'class' then return write_class(out, entry.class, entry.text) end
    local is_short = not entry.example:find('\n') and not entry.example:find('`')
    local shown = is_short and ' Example: `' .. entry.example .. '`' or ''
    add_wrapped(out, '- ' .. signature(entry) .. ': ' .. entry.text .. notes(entry.parameters) .. shown, '  ')
    if is_short then return end
    table.insert(out, '')
    for line in (entry.example .. '\n'):gmatch('(.-)\n') do table.insert(out, '      ' .. line) end
    table.insert(out, '')
end

local function write_section(out, section, has_title)
    if has_title then
        table.insert(out, '## ' .. section.title)
        table.insert(out, '')
    end
    if #section.intro > 0 then
        add_wrapped(out, joined(section.intro), '')
        table.insert(out, '')
    end
    for _, entry in ipairs(section.entries) do write_entry(out, entry) end
    if out[#out] ~= '' then table.insert(out, '') end
end

-- What jobs find, or what tests find beside it.
local function reference(source, is_of_tests)
    local out = { '' }
    for _, section in ipairs(read(source)) do
        if (section.title == TESTS) == is_of_tests then write_section(out, section, not is_of_tests) end
    end
    return table.concat(out, '\n') .. '\n'
end

local function contents(path)
    local file = assert(io.open(path, 'rb'))
    local text = file:read('a')
    file:close()
    return text
end

-- The page with the reference of these definitions in it.
local function page_with(page, definitions)
    local _, start, which = page:find(BEGIN)
    local stop = page:find(END, 1, true)
    assert(start and stop and start < stop, 'the page has not both markers of the reference')
    return page:sub(1, start) .. reference(definitions, which == ' of tests') .. page:sub(stop)
end

-- Called as a module it gets a name.
if ... then return page_with end

for _, path in ipairs(PAGES) do
    local text = page_with(contents(path), contents(DEFINITIONS))
    local file = assert(io.open(path, 'wb'))
    assert(file:write(text))
    file:close()
end
