-- Counts the lines, words and bytes of a text file, and finds its longest line and its most frequent words.
--
--     jobreactor run text_statistics path=README.md top=5
--
-- in   path       the file, as the node sees it
--      top        how many frequent words to list; 10 when not given
--      shortest   list only words of at least this many letters; 1 when not given
-- out  lines, words, bytes, distinct_words
--      longest_line = { number = , length = }       length in characters
--      most_frequent = { { word = , count = }, ... }
--      summary                                      one line for people

local tally = require('lib.tally')

-- Letters, then letters, digits, apostrophes and underscores. Every byte from 128 up belongs to a letter here: in UTF-8
-- those are the bytes of ä, ж, 語 and all others beyond ASCII, so words of any language stay whole.
local WORD = "[%a_\128-\255][%w_'\128-\255]*"

local function split_words(line, counts)
    if line:find('[\194\226]') then
        line = line:gsub('\u{2019}', "'")                   -- the typographic apostrophe
            :gsub('\226[\128\129][\128-\191]', ' ')         -- dashes, quotation marks, ellipsis: U+2000 to U+207F
            :gsub('\194[\160-\191]', ' ')                   -- no-break space, guillemets: U+00A0 to U+00BF
    end
    local words = 0
    for word in line:gmatch(WORD) do
        word = word:lower():match("^.*[^']")                -- a closing quotation mark is not part of the word
        counts[word] = (counts[word] or 0) + 1
        words = words + 1
    end
    return words
end

-- A file that is missing now will hardly be there in five seconds: one attempt is enough.
job('text_statistics', { max_attempt = 1 }, function(args)
    local top = tally.count_argument(args, 'top', 10)
    local shortest = tally.count_argument(args, 'shortest', 1)
    local file <close> = tally.open(args)

    local lines, words, bytes = 0, 0, 0
    local longest, longest_number = 0, 0
    local counts = {}
    -- One line at a time, 'L' with its line end: the file may be larger than the memory.
    for line in file:lines('L') do
        lines = lines + 1
        bytes = bytes + #line
        line = line:gsub('\r?\n$', '')
        -- A line has at most as many characters as bytes, so most lines need no counting.
        if #line > longest then
            local length = utf8.len(line) or #line
            if length > longest then
                longest, longest_number = length, lines
            end
        end
        words = words + split_words(line, counts)
    end

    local distinct, listed = 0, {}
    for word, count in pairs(counts) do
        distinct = distinct + 1
        if (utf8.len(word) or #word) >= shortest then
            listed[word] = count
        end
    end

    args.lines, args.words, args.bytes = lines, words, bytes
    args.distinct_words = distinct
    args.longest_line = { number = longest_number, length = longest }
    args.most_frequent = tally.top(listed, top, 'word')
end)

-- A callback goes on where the job ended, with the same args.
job_callback('text_statistics', 'summary', function(args)
    local first = args.most_frequent[1]
    args.summary = string.format('%s: %d lines, %d words, %d bytes%s', args.path, args.lines, args.words, args.bytes,
        first and string.format('; most frequent: "%s" (%d times)', first.word, first.count) or '')
end)

-- An errback runs when the job or a callback raised. The application gets what it adds along with the error.
job_errback('text_statistics', 'explain', function(args)
    if tostring(args.error):find('No such file', 1, true) then
        args.advice = 'path is looked up by the node, from the folder it was started in; an absolute path always works'
    end
    log.warn('text_statistics: ' .. tostring(args.error))
end)
