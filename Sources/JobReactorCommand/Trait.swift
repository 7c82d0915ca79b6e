#if !Command
    #error("the program jobreactor needs the trait Command: write .package(…, traits: [\"Command\"]) of this package")
#endif
