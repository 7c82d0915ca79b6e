#if !Users
    #error("JobReactorUsers needs the trait Users: write .package(…, traits: [\"Users\"]) of this package")
#endif
