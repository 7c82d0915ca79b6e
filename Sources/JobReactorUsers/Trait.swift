#if !Users
    #error("JobReactorUsers needs the trait Users: say .package(…, traits: [\"Users\"]) of this package")
#endif
