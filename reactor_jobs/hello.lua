-- The smallest job there is. Try it without any server:
--
--     jobreactor run my_job arg1=Hello
--
-- `args` is what the application gave to `enqueue`. It is an ordinary Lua table; whatever it holds when the job has
-- ended goes back to the application, so an answer is simply one more member.

job('my_job', function(args)
    print(args.arg1)
    args.result = 'Yay!'
end)
