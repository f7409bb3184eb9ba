import OAuth
import OAuthServer

/// A password that may be used: long enough, and not among those that everybody tries first.
struct NewPassword: Sendable {
    let secret: Secret

    init(_ text: String) throws(Complaint) {
        if let problem = PasswordRule.problem(with: text) { throw Complaint(problem) }
        secret = Secret(text)
    }

    func hashed() async throws -> String {
        let hasher = PasswordHasher(threads: 1)
        do {
            let hash = try await hasher.hash(secret)
            await hasher.shutDown()
            return hash
        } catch {
            await hasher.shutDown()
            throw Complaint("the password cannot be hashed: \(error)")
        }
    }
}
