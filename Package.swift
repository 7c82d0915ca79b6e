// swift-tools-version: 6.2
import PackageDescription

// What needs heavy packages is a product of its own, and behind a trait: an application that enqueues imports `JobReactor`
// of a package with `traits: []`, and fetches and builds none of them. Who builds this package has all.

/// Warnings are errors where JOBREACTOR_STRICT is set, as the tests' script does; not for those who only build.
let warnings: [SwiftSetting] =
    Context.environment["JOBREACTOR_STRICT"] == nil ? [] : [.treatAllWarnings(as: .error)]

let strict: [SwiftSetting] =
    warnings + [
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ]

let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioHandshake: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioTLS: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let metrics: Target.Dependency = .product(name: "CoreMetrics", package: "swift-metrics")
let metricsTests: Target.Dependency = .product(name: "MetricsTestKit", package: "swift-metrics")
let tracing: Target.Dependency = .product(name: "Tracing", package: "swift-distributed-tracing")
let tracingTests: Target.Dependency = .product(name: "InMemoryTracing", package: "swift-distributed-tracing")
let deque: Target.Dependency = .product(name: "DequeModule", package: "swift-collections")

/// Of a product that only those fetch who enable the trait. Every use of such a package says so, also one by a test: a
/// single one without it, and everybody fetches the package.
func needing(_ trait: String, _ name: String, _ package: String) -> Target.Dependency {
    .product(name: name, package: package, condition: .when(traits: [trait]))
}

let package = Package(
    name: "jobreactor",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "JobReactor", targets: ["JobReactor"]),
        .library(name: "JobReactorNode", targets: ["JobReactorNode"]),
        .library(name: "JobReactorCore", targets: ["JobReactorCore"]),
        .library(name: "JobReactorWire", targets: ["JobReactorWire"]),
        .library(name: "JobReactorRedis", targets: ["JobReactorRedis"]),
        .library(name: "JobReactorSQLite", targets: ["JobReactorSQLite"]),
        .library(name: "JobReactorLua", targets: ["JobReactorLua"]),
        .library(name: "JobReactorLibraries", targets: ["JobReactorLibraries"]),
        .library(name: "JobReactorUsers", targets: ["JobReactorUsers"]),
        .library(name: "JobReactorTesting", targets: ["JobReactorTesting"]),
        .executable(name: "jobreactor", targets: ["JobReactorCommand"]),
    ],
    traits: [
        .trait(name: "SQLite", description: "What the product JobReactorSQLite needs."),
        .trait(name: "Libraries", description: "What the product JobReactorLibraries needs."),
        .trait(name: "Users", description: "What the product JobReactorUsers needs."),
        .trait(name: "Dashboard", description: "What the dashboard of the program needs."),
        .trait(
            name: "Command", description: "What the program jobreactor needs.",
            enabledTraits: ["SQLite", "Libraries", "Users", "Dashboard"]),
        .default(enabledTraits: ["Command"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.2.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing", from: "1.7.3"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.86.0"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.30.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.34.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.8.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.5.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    ],
    targets: [
        .systemLibrary(name: "CLua", pkgConfig: "lua5.4", providers: [.apt(["liblua5.4-dev"])]),
        // Without pkg-config: hiredis' .pc file has a flag that SwiftPM prohibits.
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .target(name: "CLuaShim", dependencies: ["CLua"], cSettings: [.headerSearchPath(".")]),
        // The pages of the documentation, for the program.
        .target(name: "CPages"),

        .target(name: "JobReactorCore", dependencies: [], swiftSettings: strict),
        .target(
            name: "JobReactorWire",
            dependencies: ["JobReactorCore", "CHiredis", nio, nioPosix, nioHandshake, nioTLS, logging, deque],
            swiftSettings: strict),
        .target(
            name: "JobReactor",
            dependencies: [
                "JobReactorCore", "JobReactorWire", nio, nioPosix, lifecycle, signals, logging, metrics, tracing, deque,
            ],
            swiftSettings: strict),
        .target(
            name: "JobReactorLua", dependencies: ["JobReactorCore", "CLuaShim", logging],
            resources: [
                .embedInCode("Lua/core.lua"), .embedInCode("Testing/testing.lua"),
                .embedInCode("Definitions/jobreactor.lua"),
            ],
            swiftSettings: strict),
        // What scripts find beside the language, where it needs heavy packages.
        .target(
            name: "JobReactorLibraries",
            dependencies: [
                "JobReactorCore", "JobReactorLua", "JobReactorRedis", "JobReactorWire", nio, nioPosix, nioTLS, logging,
                deque,
                .product(name: "NIOHTTP1", package: "swift-nio"),
                needing("Libraries", "NIOHTTPCompression", "swift-nio-extras"),
                needing("Libraries", "AsyncHTTPClient", "async-http-client"),
                needing("Libraries", "Crypto", "swift-crypto"),
                needing("Libraries", "Subprocess", "swift-subprocess"),
                needing("Libraries", "SystemPackage", "swift-system"),
            ],
            resources: [.embedInCode("Lua")],
            swiftSettings: strict),
        .target(
            name: "JobReactorNode",
            dependencies: [
                "JobReactor", "JobReactorCore", "JobReactorWire", "JobReactorLua", nio, nioPosix, lifecycle, logging,
                metrics, tracing, deque,
            ],
            swiftSettings: strict),
        .target(
            name: "JobReactorRedis",
            dependencies: ["JobReactorCore", "JobReactorWire", nio, nioPosix, logging, deque], swiftSettings: strict),
        .target(
            name: "JobReactorSQLite",
            dependencies: ["JobReactorCore", needing("SQLite", "GRDB", "GRDB.swift"), logging],
            swiftSettings: strict),
        // Users of ports, by a file of hashed passwords.
        .target(
            name: "JobReactorUsers",
            dependencies: [
                "JobReactorCore", "JobReactorWire", logging,
                needing("Users", "Crypto", "swift-crypto"),
                needing("Users", "CryptoExtras", "swift-crypto"),
            ],
            swiftSettings: strict),
        // Pages for people who look after a distributor.
        .target(
            name: "JobReactorDashboard",
            dependencies: [
                "JobReactorCore", "JobReactorWire", needing("Dashboard", "Mustache", "swift-mustache"),
                needing("Dashboard", "Crypto", "swift-crypto"),
            ],
            resources: [.embedInCode("Templates"), .embedInCode("Assets")], swiftSettings: strict),
        .target(
            name: "JobReactorTesting",
            dependencies: [
                "JobReactor", "JobReactorNode", "JobReactorCore", "JobReactorWire", nio, nioPosix, logging,
            ],
            swiftSettings: strict),
        .executableTarget(
            name: "JobReactorCommand",
            dependencies: [
                "JobReactor", "JobReactorNode", "JobReactorRedis", "JobReactorSQLite", "JobReactorWire",
                "JobReactorLua", "JobReactorLibraries", "JobReactorUsers", "JobReactorDashboard",
                "JobReactorCore", "CPages", nio, nioPosix,
                nioTLS, lifecycle, signals, logging, metrics, tracing, deque,
                .product(name: "NIOHTTP1", package: "swift-nio"),
                // For what sends spans.
                needing("Command", "AsyncHTTPClient", "async-http-client"),
                needing("Command", "ArgumentParser", "swift-argument-parser"),
                needing("Command", "Configuration", "swift-configuration"),
                // For `bench`: latencies, and plain transactions to measure storages against.
                needing("Command", "Histogram", "hdrhistogram-swift"),
                needing("Command", "GRDBSQLite", "GRDB.swift"),
            ],
            swiftSettings: strict),

        .executableTarget(
            name: "QuickStart", dependencies: ["JobReactor", logging], path: "Examples/QuickStart",
            swiftSettings: strict),
        .executableTarget(
            name: "AllInOne", dependencies: ["JobReactor", "JobReactorNode", nio, nioPosix], path: "Examples/AllInOne",
            swiftSettings: strict),
        .executableTarget(
            name: "TwoDistributorsThreeNodes", dependencies: ["JobReactor", "JobReactorNode", logging],
            path: "Examples/TwoDistributorsThreeNodes", swiftSettings: strict),

        .executableTarget(
            name: "TenLines", dependencies: ["JobReactor"], path: "Examples/TenLines", swiftSettings: strict),

        .executableTarget(
            name: "OwnStorage", dependencies: ["JobReactorCore", "JobReactorNode", "JobReactorWire"],
            path: "Examples/OwnStorage", swiftSettings: strict),

        .executableTarget(
            name: "JobReactorChaos",
            dependencies: [
                "JobReactor", "JobReactorWire", "JobReactorTesting", signals,
                needing("Command", "ArgumentParser", "swift-argument-parser"),
                // It locks files of SQLite from outside.
                needing("Command", "GRDBSQLite", "GRDB.swift"),
            ],
            path: "Tests/JobReactorChaos", swiftSettings: strict),
        .testTarget(
            name: "JobReactorProcessTests",
            dependencies: [
                "JobReactorChaos",
                "JobReactor", "JobReactorCommand", "JobReactorTesting", "QuickStart", "AllInOne",
                "TwoDistributorsThreeNodes", "TenLines", "OwnStorage",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "JobReactorCoreTests", dependencies: ["JobReactorCore", "JobReactorTesting"], swiftSettings: strict),
        .testTarget(
            name: "JobReactorNodeTests",
            dependencies: [
                "JobReactorNode", "JobReactor", "JobReactorLua", "JobReactorCore", "JobReactorWire",
                "JobReactorTesting", nio, logging, metrics, metricsTests,
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "JobReactorCommandTests",
            dependencies: [
                "JobReactorCommand", "JobReactor", "JobReactorNode", "JobReactorCore", "JobReactorWire",
                "JobReactorLua", "JobReactorLibraries", "JobReactorRedis", "JobReactorSQLite", "JobReactorTesting",
                "JobReactorDashboard", nio, nioPosix, logging, metrics, tracing,
                .product(name: "NIOHTTP1", package: "swift-nio"),
                needing("Command", "ArgumentParser", "swift-argument-parser"),
                needing("Command", "Configuration", "swift-configuration"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "JobReactorWireTests",
            dependencies: [
                "JobReactorWire", "JobReactorCore", "JobReactorTesting", nio, nioPosix, nioHandshake, nioTLS, logging,
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "JobReactorDashboardTests",
            dependencies: ["JobReactorDashboard", "JobReactorCore", "JobReactorWire", nio], swiftSettings: strict),
        .testTarget(
            name: "JobReactorUsersTests",
            dependencies: ["JobReactorUsers", "JobReactorWire", "JobReactorTesting", logging], swiftSettings: strict),
        .testTarget(
            name: "JobReactorLuaTests",
            dependencies: ["JobReactorLua", "JobReactorCore", "CLuaShim", "JobReactorTesting", logging],
            swiftSettings: strict),
        .testTarget(
            name: "JobReactorLibrariesTests",
            dependencies: [
                "JobReactorLibraries", "JobReactorLua", "JobReactorRedis", "JobReactorTesting", "JobReactorCore",
                "JobReactorWire", nio, nioPosix, nioTLS, logging, .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "JobReactorSQLiteTests",
            dependencies: [
                "JobReactorSQLite", "JobReactorTesting", "JobReactorCore", logging,
                needing("SQLite", "GRDB", "GRDB.swift"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "JobReactorRedisTests",
            dependencies: [
                "JobReactorRedis", "JobReactorTesting", "JobReactorCore", "JobReactorWire", nio, nioPosix, logging,
            ],
            swiftSettings: strict),
        .testTarget(
            name: "JobReactorTests",
            dependencies: [
                "JobReactor", "JobReactorNode", "JobReactorRedis", "JobReactorSQLite", "JobReactorWire",
                "JobReactorLua", "JobReactorLibraries", "JobReactorUsers",
                "JobReactorTesting",
                nio, lifecycle,
                signals, logging, metrics, metricsTests, tracing, tracingTests,
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            swiftSettings: strict),
    ]
)
