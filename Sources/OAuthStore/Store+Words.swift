import OAuth

/// The words by which clients and accounts are found, kept in the transaction that makes or changes them.
extension Store {
    /// The words of some texts: each text as it stands, and its runs of letters and digits, all in lower case.
    static func words(of texts: [String?]) -> Set<String> {
        var words: Set<String> = []
        for text in texts.compactMap({ $0?.lowercased() }) where !text.isEmpty {
            if !text.contains(where: \.isWhitespace) { words.insert(text) }
            for run in runs(of: text) { words.insert(run) }
        }
        return Set(words.sorted().prefix(wordLimit))
    }

    private static let wordLimit = 40
    /// How many bytes of a word are kept and looked for: a character may have any number of them, an entry of an index may not.
    private static let wordLength = 100

    private static func runs(of text: String) -> [String] {
        text.split { !$0.isLetter && !$0.isNumber }.map(String.init)
    }

    static func index(_ client: ClientRegistration, _ connection: any SQLConnection) throws(SQLError) {
        try index("client", .text(client.id), words(of: [client.id, client.name, client.partner]), connection)
    }

    static func index(
        _ account: AccountID,
        email: String,
        name: String?,
        _ connection: any SQLConnection
    ) throws(SQLError) {
        // Of an id only the whole is looked for, not its pieces: each word costs every account its place in two indexes.
        try index("account", SQLValue(account), words(of: [email, name]).union([account.description]), connection)
    }

    private static func index(
        _ kind: String,
        _ id: SQLValue,
        _ words: Set<String>,
        _ connection: any SQLConnection
    ) throws(SQLError) {
        try connection.execute("delete from \(kind)_words where \(kind)_id = $1", [id])
        // In one order everywhere, so that no two transactions wait for each other.
        for word in words.sorted() {
            try connection.execute(
                "insert into \(kind)_words (word, \(kind)_id) values ($1, $2) on conflict do nothing",
                [.bytes(Array(word.utf8.prefix(wordLength))), id]
            )
        }
    }

    /// Indexes what was there before there was an index.
    static func indexAll(_ connection: any SQLConnection) throws(SQLError) {
        for row in try connection.query("select registration from clients order by client_id") {
            if let registration = try? registration(try row.text(0)) { try index(registration, connection) }
        }
        for row in try connection.query("select account_id, email, name from accounts order by account_id") {
            try index(try row.identifier(0), email: try row.text(1), name: try row.optionalText(2), connection)
        }
    }

    /// Lets a search find only rows in which each word of what was typed begins a word.
    ///
    /// - Parameters:
    ///   - typed: what somebody looks for; empty finds everything.
    ///   - kind: `client` or `account`.
    ///   - search: the search, of a table with a `client_id` or an `account_id`.
    static func require(_ typed: String, of kind: String, _ search: inout Search) {
        for term in typed.lowercased().split(whereSeparator: \.isWhitespace).prefix(termLimit).map(String.init) {
            let pieces = runs(of: term)
            // One list of what is found in either way: "or" would make PostgreSQL look at every row.
            var ways = [found([term], kind, &search)]
            if pieces != [term], !pieces.isEmpty {
                ways.append(found(Array(pieces.prefix(termLimit)), kind, &search))
            }
            search.require("\(kind)_id in (\(ways.joined(separator: " union ")))")
        }
    }

    private static let termLimit = 4

    /// Selects what has, for each beginning, a word that begins so.
    private static func found(_ beginnings: [String], _ kind: String, _ search: inout Search) -> String {
        var selection = ""
        for beginning in beginnings.reversed() {
            let bytes = Array(beginning.utf8.prefix(wordLength))
            // The end is the beginning with its last byte raised: no byte of UTF-8 is the highest one.
            let from = search.add(.bytes(bytes))
            let to = search.add(.bytes(bytes.dropLast() + [(bytes.last ?? 0) + 1]))
            selection =
                "select \(kind)_id from \(kind)_words where word >= \(from) and word < \(to)"
                + (selection.isEmpty ? "" : " and \(kind)_id in (\(selection))")
        }
        return selection
    }
}
