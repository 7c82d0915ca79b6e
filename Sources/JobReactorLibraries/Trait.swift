#if !Libraries
    #error("JobReactorLibraries needs the trait Libraries: say .package(…, traits: [\"Libraries\"]) of this package")
#endif
