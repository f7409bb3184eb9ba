// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "GuardedAPI",
    dependencies: [
        // Outside of this repository: .package(url: "https://…/latchkey", exact: "…")
        .package(name: "latchkey", path: "../.."),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    ],
    targets: [
        .executableTarget(
            name: "GuardedAPI",
            dependencies: [
                .product(name: "OAuthGuard", package: "latchkey"),
                .product(name: "Hummingbird", package: "hummingbird"),
            ]
        )
    ]
)
