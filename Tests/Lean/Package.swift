// swift-tools-version: 6.2
import PackageDescription

// An application that has a distributor and nothing else. `check.sh` looks what it fetches and builds for that.
let package = Package(
    name: "lean",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "jobreactor", path: "../..", traits: [])],
    targets: [
        .executableTarget(name: "Lean", dependencies: [.product(name: "JobReactor", package: "jobreactor")])
    ]
)
