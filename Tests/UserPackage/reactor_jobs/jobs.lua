job('echo', function(args) end)

job('greet', function(args)
    args.greeting = 'Hello, ' .. args.name .. '!'
end)

job('resize', function(args)
    progress(0.5, 'half of it')
    args.result = 'Yay!'
end)

job('fails', { max_attempt = 1 }, function(args)
    error('no disk', 0)
end)

-- What a script makes of the time that it is given.
job('tomorrow', function(args)
    args.at = args.at + 86400
end)
