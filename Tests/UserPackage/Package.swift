// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "app",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "jobreactor", path: "../..", traits: [])
    ],
    targets: [
        .executableTarget(
            name: "App", dependencies: [.product(name: "JobReactor", package: "jobreactor")])
    ]
)

// The program of the README, and, when Tests/user-package.sh asks for it, what the compiler must refuse.
let jobReactor: Target.Dependency = .product(name: "JobReactor", package: "jobreactor")
package.targets.append(.executableTarget(name: "TenLines", dependencies: [jobReactor]))
if Context.environment["JOBREACTOR_REFUSED"] != nil {
    package.targets.append(.target(name: "Refused", dependencies: [jobReactor]))
}
