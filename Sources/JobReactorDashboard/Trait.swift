#if !Dashboard
    #error("JobReactorDashboard needs the trait Dashboard: say .package(…, traits: [\"Dashboard\"]) of this package")
#endif
