// What the server answered to one statement, and how values travel.

import CPostgres
import OAuthStore

/// One result of libpq, freed with this value.
struct Answer: ~Copyable {
    private let result: OpaquePointer

    /// Takes over a result.
    init(_ result: OpaquePointer) {
        self.result = result
    }

    deinit {
        PQclear(result)
    }

    /// The state with which the statement failed, or nil when it succeeded.
    var failedState: SQLState? {
        Self.hasFailed(result) ? SQLState(code: field(PG_DIAG_SQLSTATE) ?? "08006") : nil
    }

    /// Whether a result tells of a failure.
    static func hasFailed(_ result: OpaquePointer) -> Bool {
        switch PQresultStatus(result) {
        case PGRES_COMMAND_OK, PGRES_TUPLES_OK: false
        default: true
        }
    }

    /// Whether the server says that it goes on after the failure (`ERROR`, not `FATAL` or `PANIC`).
    var isPlainError: Bool {
        field(PG_DIAG_SEVERITY_NONLOCALIZED) == "ERROR"
    }

    /// The failure in the store's terms.
    func error(_ state: SQLState) -> SQLError {
        let reason =
            state.isSafeToQuote ? field(PG_DIAG_MESSAGE_PRIMARY) ?? "no message" : "a value or a function failed"
        let sentence = "\(reason) (SQLSTATE \(state.code))"
        return isPlainError ? state.error(sentence) : .unavailable(sentence)
    }

    /// All rows.
    ///
    /// - Throws: `SQLError.invalid` for a column of a type that the store does not use.
    func rows() throws(SQLError) -> [SQLRow] {
        let columns = PQnfields(result)
        let count = PQntuples(result)
        var rows: [SQLRow] = []
        rows.reserveCapacity(Int(count))
        for row in 0..<count {
            var values: [SQLValue] = []
            values.reserveCapacity(Int(columns))
            for column in 0..<columns { values.append(try value(row, column)) }
            rows.append(SQLRow(values))
        }
        return rows
    }

    private func value(_ row: CInt, _ column: CInt) throws(SQLError) -> SQLValue {
        guard PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column) else { return .null }
        let bytes = UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(result, row, column)))
        switch ColumnType(rawValue: PQftype(result, column)) {
        case .int8: return .integer(Int64(bigEndian: bytes.loadUnaligned(as: Int64.self)))
        case .int4: return .integer(Int64(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self))))
        case .int2: return .integer(Int64(Int16(bigEndian: bytes.loadUnaligned(as: Int16.self))))
        case .bool: return .integer(bytes[0] == 0 ? 0 : 1)
        case .text, .varchar, .name, .unknown: return .text(String(decoding: bytes, as: UTF8.self))
        case .bytea: return .bytes([UInt8](bytes))
        case .void: return .null
        case nil:
            throw .invalid("column \(column) of a row has the PostgreSQL type \(PQftype(result, column))")
        }
    }

    private func field(_ code: CInt) -> String? {
        PQresultErrorField(result, code).map { String(cString: $0) }
    }
}

/// The types of columns and arguments that the store uses, by their numbers in `pg_type`.
private enum ColumnType: Oid {
    case bool = 16
    case bytea = 17
    case name = 19
    case int8 = 20
    case int2 = 21
    case int4 = 23
    case text = 25
    case unknown = 705
    case varchar = 1043
    case void = 2278
}

/// Arguments in binary form, with their types stated: left to itself, PostgreSQL might infer a four-byte integer.
struct Parameters {
    /// The type of each argument; 0, "whatever fits", for null.
    let types: [Oid]
    private var bytes: [UInt8] = []
    private var lengths: [CInt] = []

    /// Encodes the arguments.
    init(_ arguments: [SQLValue]) {
        types = arguments.map { argument in
            switch argument {
            case .null: 0
            case .integer: ColumnType.int8.rawValue
            case .text: ColumnType.text.rawValue
            case .bytes: ColumnType.bytea.rawValue
            }
        }
        lengths.reserveCapacity(arguments.count)
        for argument in arguments {
            let start = bytes.count
            switch argument {
            case .null: break
            case .integer(let value): withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
            case .text(let value): bytes.append(contentsOf: value.utf8)
            case .bytes(let value): bytes.append(contentsOf: value)
            }
            lengths.append(CInt(bytes.count - start))
        }
        // An empty argument needs a pointer too, or libpq would take it for null.
        bytes.append(0)
    }

    /// Encodes keys as one argument, an array of `bytea`.
    init(keys: [[UInt8]]) {
        types = [Self.byteaArray]
        bytes.reserveCapacity(20 + keys.reduce(0) { $0 + 4 + $1.count } + 1)
        // One dimension, no nulls, what it is an array of, how many, counted from 1.
        for word in [1, 0, Int32(ColumnType.bytea.rawValue), Int32(keys.count), 1] { append(word) }
        for key in keys {
            append(Int32(key.count))
            bytes.append(contentsOf: key)
        }
        lengths = [CInt(bytes.count)]
        bytes.append(0)
    }

    private mutating func append(_ word: Int32) {
        withUnsafeBytes(of: word.bigEndian) { bytes.append(contentsOf: $0) }
    }

    /// The number of the type `bytea[]` in `pg_type`.
    private static let byteaArray: Oid = 1001

    /// Writes that a prepared statement is to be run with these arguments and its result to be binary; 1 when libpq took it.
    func write(to connection: OpaquePointer, running statement: String) -> CInt {
        bytes.withUnsafeBytes { buffer in
            var next = buffer.assumingMemoryBound(to: CChar.self).baseAddress
            var values: [UnsafePointer<CChar>?] = []
            values.reserveCapacity(types.count)
            for (type, length) in zip(types, lengths) {
                values.append(type == 0 ? nil : next)
                next = next?.advanced(by: Int(length))
            }
            let binary = [CInt](repeating: 1, count: types.count)
            return PQsendQueryPrepared(connection, statement, CInt(types.count), values, lengths, binary, 1)
        }
    }
}

// The macros of postgres_ext.h are characters, which Swift does not import as numbers.
private let PG_DIAG_SQLSTATE = CInt(UInt8(ascii: "C"))
private let PG_DIAG_SEVERITY_NONLOCALIZED = CInt(UInt8(ascii: "V"))
private let PG_DIAG_MESSAGE_PRIMARY = CInt(UInt8(ascii: "M"))
