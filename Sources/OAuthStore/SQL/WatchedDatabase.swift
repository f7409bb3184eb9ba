/// Passes everything on, and tells of what fails.
final class WatchedDatabase: SQLDatabase {
    private let base: any SQLDatabase
    private let tell: @Sendable (SQLError) -> Void

    init(_ base: any SQLDatabase, _ tell: @escaping @Sendable (SQLError) -> Void) {
        self.base = base
        self.tell = tell
    }

    var engine: SQLEngine { base.engine }
    var usage: SQLUsage { base.usage }

    func read<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        do throws(SQLError) { return try await base.read(body) } catch { throw told(error) }
    }

    func row(of selection: KeyedSelection, _ key: [UInt8]) async throws(SQLError) -> SQLRow? {
        do throws(SQLError) { return try await base.row(of: selection, key) } catch { throw told(error) }
    }

    func transaction<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        do throws(SQLError) { return try await base.transaction(body) } catch { throw told(error) }
    }

    func ending<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        do throws(SQLError) { return try await base.ending(body) } catch { throw told(error) }
    }

    func makeRoom() async -> Bool { await base.makeRoom() }

    func changes() -> AsyncStream<Void> { base.changes() }

    func time() async throws(SQLError) -> Int64? {
        do throws(SQLError) { return try await base.time() } catch { throw told(error) }
    }

    func hazards() async throws(SQLError) -> [String] {
        do throws(SQLError) { return try await base.hazards() } catch { throw told(error) }
    }

    func migration<Value: Sendable>(
        _ body: @escaping @Sendable (any SQLConnection) throws(SQLError) -> Value
    ) async throws(SQLError) -> Value {
        do throws(SQLError) { return try await base.migration(body) } catch { throw told(error) }
    }

    func close() async {
        await base.close()
    }

    private func told(_ error: SQLError) -> SQLError {
        tell(error)
        return error
    }
}
