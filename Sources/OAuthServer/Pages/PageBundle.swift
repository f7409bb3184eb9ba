// The stylesheet and the pictures of the pages, named by their content, with the brand's colours filled in.

import Crypto
import OAuth

/// A file that a page asks for.
struct PageAsset: Sendable, Equatable {
    let contentType: String
    let bytes: [UInt8]
    /// Whether the name holds a hash of the content, so that a browser may keep the file for ever.
    let isNamedByContent: Bool
}

/// The assets of one brand.
struct PageBundle: Sendable {
    let stylesheet: String
    /// The assets by the name that they are served under.
    private(set) var assets: [String: PageAsset] = [:]
    /// From an asset's plain name to the name that it is served under.
    private(set) var names: [String: String] = [:]

    private static let types = [
        "css": "text/css; charset=utf-8", "svg": "image/svg+xml", "png": "image/png", "jpg": "image/jpeg",
        "webp": "image/webp",
    ]

    init(brand: Brand, folder: PageFolder?) throws(PagesError) {
        let rules = try folder?.text("latchkey.css") ?? String(decoding: PackageResources.latchkey_css, as: UTF8.self)
        let (light, dark) = (Palette.light(brand), Palette.dark(brand))
        stylesheet = """
            :root{\(light.declarations)}
            @media (prefers-color-scheme:dark){:root{\(dark.declarations)}}
            \(rules)
            """
        let keyhole = String(decoding: PackageResources.keyhole_svg, as: UTF8.self)
            .split(separator: "#accent", omittingEmptySubsequences: false).joined(separator: "\(light.accent)")
            .split(separator: "#onAccent", omittingEmptySubsequences: false).joined(separator: "\(light.onAccent)")
        add("latchkey.css", Array(stylesheet.utf8))
        add("keyhole.svg", Array(keyhole.utf8))
        add(
            "console.css",
            Array(
                (try folder?.text("console.css") ?? String(decoding: PackageResources.console_css, as: UTF8.self)).utf8
            )
        )
        for name in folder?.names ?? []
        where !["latchkey.css", "console.css"].contains(name) && Self.type(of: name) != nil {
            guard let bytes = try folder?.bytes(name) else { continue }
            add(name, bytes)
            // A stylesheet of the operator's own can only name its pictures by their plain names.
            assets[name] = PageAsset(contentType: Self.type(of: name) ?? "", bytes: bytes, isNamedByContent: false)
        }
    }

    /// Whether a file of this name can be an asset, and of which type it is.
    static func type(of name: String) -> String? {
        name.split(separator: ".").last.flatMap { types[$0.lowercased()] }
    }

    private mutating func add(_ name: String, _ bytes: [UInt8]) {
        let hash = Hexadecimal.encode(SHA256.hash(data: bytes).prefix(8))
        let parts = name.split(separator: ".")
        let served = "\(parts.dropLast().joined(separator: "."))-\(hash).\(parts.last ?? "")"
        assets[served] = PageAsset(contentType: Self.type(of: name) ?? "", bytes: bytes, isNamedByContent: true)
        names[name] = served
    }
}
