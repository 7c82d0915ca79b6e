#if !Command
    #error("the program jobreactor needs the trait Command: say .package(…, traits: [\"Command\"]) of this package")
#endif
