import Hummingbird
import NIOCore
import OAuth
import OAuthStore

/// The audit trail: who changed what, searched, read in pages, and taken along whole.
extension Provider {
    static let consoleAuditRoutes: [ConsoleRoute] = [
        .page("/audit", Provider.consoleAudit),
        .page("/audit/:id", Provider.consoleAuditEntry),
        .page("/audit-export", Provider.consoleAuditExport),
    ]

    private func consoleAudit(_ visit: ConsoleVisit) async throws -> Response {
        let filter = AuditFilter(visit.query)
        let list = ConsoleList("/audit", visit, by: "before", kept: filter.kept)
        let found = try await store.audit(filter, before: list.number, limit: ConsoleList.limit)
        var page = ConsolePage("Audit trail", area: .audit, lead: "Who changed what. Entries are kept for two years.")
        page.actions = [ConsoleLink("Export", ConsoleList.address("/audit-export", list.kept))]
        if let narrowness = filter.narrowness {
            page.trail = [ConsoleLink("Audit trail", "/audit")]
            page.lead = "Only what was done \(narrowness)."
            page.actions.append(ConsoleLink("Show all", "/audit"))
        }
        var table = ConsoleTable(
            "The audit trail",
            ["What", "Who", "To what", "When"],
            empty: "Nothing that fits was done."
        )
        list.show(found, in: &table, place: { String($0.number) }) { record in
            [
                .link(record.action, "/audit/\(record.number)"), .text(record.who, detail: record.kindOfActor),
                .link(record.subject, ConsoleList.address("/audit", [("subject", record.subject)])), .time(record.at),
            ]
        }
        page.add(.search(ConsoleSearch(list, "Search who, what and to what")), .table(table))
        return show(page, visit)
    }

    private func consoleAuditEntry(_ visit: ConsoleVisit) async throws -> Response {
        // The page before the entry that follows it begins with it.
        guard let number = Int64(visit.id), number > 0, number < .max,
            let record = try await store.audit(before: number + 1, limit: 1).first, record.number == number
        else { throw missing("entry", .audit) }
        var page = ConsolePage(record.action, area: .audit, trail: [ConsoleLink("Audit trail", "/audit")])
        page.add(
            .facts([
                ConsoleFact("Who", .text(record.who, detail: record.kindOfActor)),
                ConsoleFact("To what", .code(record.subject)),
                ConsoleFact("When", .time(record.at)),
                ConsoleFact("Before", record.before.map(ConsoleCell.code) ?? .text(nil)),
                ConsoleFact("After", record.after.map(ConsoleCell.code) ?? .text(nil)),
            ])
        )
        return show(page, visit)
    }

    /// The trail as JSON Lines, written while it is read: however long it is, little of it is in memory.
    private func consoleAuditExport(_ visit: ConsoleVisit) async throws -> Response {
        let filter = AuditFilter(visit.query)
        let store = store
        return Response(
            status: .ok,
            headers: [
                .contentType: "application/jsonl", .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
                .contentDisposition: "attachment; filename=\"audit.jsonl\"", .referrerPolicy: "no-referrer",
            ],
            body: ResponseBody { writer in
                try await store.exportAudit(filter) { records in
                    try await writer.write(ByteBuffer(bytes: records.flatMap(\.line)))
                }
                try await writer.finish(nil)
            }
        )
    }
}

extension AuditFilter {
    /// Reads the address.
    fileprivate init(_ query: Form) {
        self.init(subject: query["subject"], actor: query["actor"], action: query["action"], text: query["q"])
    }

    /// What of it stands in the address.
    fileprivate var kept: [(String, String?)] {
        [("subject", subject), ("actor", actor), ("action", action), ("q", text)]
    }

    /// What else than the search leaves entries out, in words; nil when nothing does.
    fileprivate var narrowness: String? {
        let parts = [("to", subject), ("by", actor), ("as", action)].compactMap { word, value in
            value.map { "\(word) \($0)" }
        }
        return parts.isEmpty ? nil : parts.joined(separator: " ")
    }
}

extension AuditRecord {
    fileprivate var who: String { actorName ?? (actor.isEmpty ? "the server" : actor) }

    fileprivate var kindOfActor: String? {
        switch actorKind {
        case "server": nil
        case "command_line": "at the command line"
        case "operator": "operator"
        case "account": "customer"
        default: actorKind
        }
    }
}
