-- At most one digest an hour for each user, however much happens.
--
--     jobreactor enqueue note_event user=ann text='a new comment'
--
-- in   user   who is told
--      text   what happened

job('note_event', function(args)
    -- The first event of an hour sends a digest in ten minutes, with what has come together by then. Its key is held
    -- for an hour: later events of that hour change nothing.
    args.digest = enqueue('send_digest', { user = args.user },
        { after = 600, unique = args.user, unique_for = 3600 })
end)

job('send_digest', function(args)
    args.text = 'What is new for ' .. args.user
    print(args.text)
end)
