#if !Libraries
    #error("JobReactorLibraries needs the trait Libraries: write .package(…, traits: [\"Libraries\"]) of this package")
#endif
