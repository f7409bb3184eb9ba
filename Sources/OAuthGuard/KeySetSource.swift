import AsyncHTTPClient
import FoundationEssentials
import Logging
import NIOCore
import OAuth

/// Where an issuer's key set comes from (RFC 7517 §5): a given URL, or the one its metadata names (RFC 8414 §3).
struct KeySetSource: Sendable {
    let issuer: String
    let keysURL: String?
    let patience: Duration
    let httpClient: HTTPClient

    /// The signing keys by their `kid`.
    /// - Returns: nil when they cannot be had; the log says why. A set without a usable key is such a failure too: to
    ///   believe it would refuse every token.
    func keys() async -> [String: PublicKey]? {
        do {
            let deadline = NIODeadline.now() + TimeAmount(patience)
            let url = if let keysURL { keysURL } else { try await discoveredURL(deadline) }
            let bytes = try await httpClient.bytes(at: url, deadline: deadline)
            let set = try JSONDecoder().decode(JSONWebKeySet.self, from: bytes)
            let keys = set.keys.compactMap { PublicKey($0) }
            guard !keys.isEmpty else { throw KeySetError.noUsableKey }
            return Dictionary(keys.map { ($0.id, $0) }) { first, _ in first }
        } catch {
            Self.logger.warning(
                "the issuer's keys cannot be fetched",
                metadata: ["issuer": "\(issuer)", "error": "\(error)"]
            )
            return nil
        }
    }

    /// RFC 8414 §3.1 puts the well-known part between host and path; servers that live under a path of a shared host
    /// often answer only at the place that OpenID Connect Discovery §4 names.
    private func discoveredURL(_ deadline: NIODeadline) async throws -> String {
        var failure: any Error = KeySetError.badIssuer
        for url in Self.metadataURLs(issuer) {
            do {
                return try await keysURL(from: url, deadline)
            } catch {
                failure = error
            }
        }
        throw failure
    }

    private func keysURL(from url: String, _ deadline: NIODeadline) async throws -> String {
        let bytes = try await httpClient.bytes(at: url, deadline: deadline)
        let metadata = try JSONDecoder().decode(Metadata.self, from: bytes)
        guard metadata.issuer == issuer else { throw KeySetError.otherIssuer(metadata.issuer) }
        guard !issuer.hasPrefix("https:") || metadata.jwks_uri.hasPrefix("https:") else {
            throw KeySetError.unprotectedKeys
        }
        return metadata.jwks_uri
    }

    static func metadataURLs(_ issuer: String) -> [String] {
        let issuer = issuer.hasSuffix("/") ? String(issuer.dropLast()) : issuer
        guard let colon = issuer.firstIndex(of: ":"), issuer[colon...].hasPrefix("://") else { return [] }
        let pathStart = issuer[colon...].dropFirst(3).firstIndex(of: "/") ?? issuer.endIndex
        return [
            "\(issuer[..<pathStart])/.well-known/oauth-authorization-server\(issuer[pathStart...])",
            "\(issuer)/.well-known/openid-configuration",
        ]
    }

    private struct Metadata: Decodable {
        let issuer: String
        let jwks_uri: String
    }

    private static let logger = Logger(label: "OAuthGuard")
}

/// Why a key set was not taken.
enum KeySetError: Error {
    case badIssuer
    case otherIssuer(String)
    case unprotectedKeys
    case noUsableKey
}
