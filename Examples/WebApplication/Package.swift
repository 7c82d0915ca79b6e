// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that JobReactor itself does not depend on a web framework.
let package = Package(
    name: "web-application",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "jobreactor", path: "../..", traits: []),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.0.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.6.4"),
    ],
    targets: [
        .executableTarget(
            name: "WebApplication",
            dependencies: [
                .product(name: "JobReactor", package: "jobreactor"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
            ])
    ]
)
