-- An index that is rebuilt once more after the last change, however many changes come while it is rebuilt.
--
--     jobreactor enqueue note_change table=articles change=1
--
-- in   table    whose index it is
--      change   the number of the change

job('note_change', function(args)
    -- While a rebuild waits it takes these args. While one runs it runs once more afterwards, with the newest of them.
    args.rebuild = enqueue('rebuild_index', { table = args.table, change = args.change },
        { unique = args.table, on_conflict = 'again' })
end)

job('rebuild_index', function(args)
    sleep(1) -- as a real one takes a while
    args.rebuilt_up_to = args.change
    print(args.table .. ' is rebuilt up to change ' .. tostring(args.change))
end)
