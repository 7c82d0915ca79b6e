#if !SQLite
    #error("JobReactorSQLite needs the trait SQLite: write .package(…, traits: [\"SQLite\"]) of this package")
#endif
