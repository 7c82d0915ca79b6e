#if !SQLite
    #error("JobReactorSQLite needs the trait SQLite: say .package(…, traits: [\"SQLite\"]) of this package")
#endif
