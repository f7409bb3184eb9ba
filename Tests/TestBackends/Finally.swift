/// What has to be done in the end, however the work went.

/// Runs `work`, and then `end`, whether the work was done or failed.
///
/// - Returns: what `work` gives.
/// - Throws: what `work` throws.
package func doing<Result>(
    _ work: () async throws -> Result,
    finally end: () async -> Void
) async throws -> Result {
    do {
        let result = try await work()
        await end()
        return result
    } catch {
        await end()
        throw error
    }
}
