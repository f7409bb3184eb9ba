// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTesting = Target.Dependency.product(name: "HummingbirdTesting", package: "hummingbird")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
    name: "latchkey",
    products: [
        .executable(name: "latchkey", targets: ["latchkey"]),
        .library(name: "OAuthGuard", targets: ["OAuthGuard"]),
    ],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", exact: "2.1.1"),
        .package(url: "https://github.com/groue/GRDB.swift", exact: "7.10.0"),
        .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", exact: "1.35.2"),
        .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(
            url: "https://github.com/apple/swift-configuration",
            exact: "1.4.0",
            traits: ["CommandLineArguments"]
        ),
        .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/apple/swift-distributed-tracing.git", exact: "1.7.3"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    targets: [
        .systemLibrary(name: "CArgon2", pkgConfig: "libargon2", providers: [.apt(["libargon2-dev"])]),
        .systemLibrary(name: "CCrypt", pkgConfig: "libcrypt", providers: [.apt(["libcrypt-dev"])]),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),

        .target(
            name: "OAuth",
            dependencies: [
                crypto,
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "Yams", package: "Yams"),
            ],
            exclude: ["Partners/Profiles"],
            swiftSettings: strict,
            plugins: ["EmbedProfiles"]
        ),
        .plugin(name: "EmbedProfiles", capability: .buildTool()),
        .target(
            name: "OAuthStore",
            dependencies: ["OAuth", crypto],
            resources: [.embedInCode("Migrations")],
            swiftSettings: strict
        ),
        .target(
            name: "OAuthSQLite",
            dependencies: [
                "OAuthStore", "CSQLite", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: strict
        ),
        .target(name: "OAuthPostgres", dependencies: ["OAuthStore", "CPostgres"], swiftSettings: strict),
        .target(
            name: "OAuthServer",
            dependencies: [
                "OAuth", "OAuthStore", "CArgon2", "CCrypt", hummingbird, httpClient, crypto, logging,
                .product(name: "CryptoExtras", package: "swift-crypto"),
                .product(name: "Mustache", package: "swift-mustache"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Tracing", package: "swift-distributed-tracing"),
            ],
            resources: [.embedInCode("Pages/Templates"), .embedInCode("Pages/Assets")],
            swiftSettings: strict
        ),
        .target(
            name: "OAuthGuard",
            dependencies: [
                "OAuth", hummingbird, hummingbirdCore, httpClient, logging,
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .target(
            name: "SampleAPI",
            dependencies: ["OAuthGuard", hummingbird, .product(name: "HTTPTypes", package: "swift-http-types")],
            swiftSettings: strict
        ),
        .target(
            name: "SamplePartner",
            dependencies: [
                hummingbird, hummingbirdCore, httpClient, crypto,
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "latchkey",
            dependencies: [
                "OAuth", "OAuthStore", "OAuthSQLite", "OAuthPostgres", "OAuthServer", "OAuthGuard",
                "SampleAPI", "SamplePartner", hummingbird, hummingbirdCore, httpClient, logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: strict
        ),

        .executableTarget(
            name: "bench-server",
            dependencies: [
                "OAuth", "OAuthStore", "OAuthSQLite", "OAuthPostgres", "OAuthServer", "OAuthGuard", "CSQLite",
                hummingbird,
                logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Benchmarks/Server",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "operations",
            dependencies: ["OAuth"],
            path: "Benchmarks/Operations",
            swiftSettings: strict
        ),

        .testTarget(name: "OAuthTests", dependencies: ["OAuth", crypto], swiftSettings: strict),
        .target(
            name: "TestBackends",
            dependencies: ["OAuthStore", "OAuthSQLite", "OAuthPostgres"],
            path: "Tests/TestBackends",
            swiftSettings: strict
        ),
        .testTarget(
            name: "OAuthStoreTests",
            dependencies: ["TestBackends", "OAuth", "OAuthStore", "OAuthSQLite", "OAuthPostgres"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "OAuthServerTests",
            dependencies: [
                "TestBackends", "OAuth", "OAuthServer", "OAuthStore", hummingbird, hummingbirdTesting, logging,
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "OAuthGuardTests",
            dependencies: [
                "OAuthGuard", "OAuth", "SampleAPI", "SamplePartner", hummingbird, hummingbirdTesting, crypto,
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: strict
        ),
    ]
)
