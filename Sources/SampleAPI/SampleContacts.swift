import FoundationEssentials
import Hummingbird
import Synchronization

/// A contact or a company that can be searched for.
struct SampleRecord: Sendable {
    enum Kind: String, Sendable, CaseIterable {
        case contacts
        case companies
    }

    let id: String
    let kind: Kind
    /// A person's name; a company's own for a company.
    let name: String
    let title: String
    let company: String
    let domain: String
    let city: String

    /// What the API shows: e-mail address and telephone number only once they have been paid for.
    struct Shown: Sendable, Encodable {
        let searchResultId: String
        let name: String
        let title: String?
        let company: String?
        let domain: String
        let city: String
        let country = "US"
        let email: String?
        let phone: String?

        private enum CodingKeys: CodingKey {
            case searchResultId, name, title, company, domain, city, country, email, phone
        }

        init(record: SampleRecord, isResearched: Bool) {
            let isPerson = record.kind == .contacts
            searchResultId = record.id
            name = record.name
            title = isPerson ? record.title : nil
            company = isPerson ? record.company : nil
            domain = record.domain
            city = record.city
            let local = record.name.lowercased().replacing(" ", with: ".")
            email = isResearched && isPerson ? "\(local)@\(record.domain)" : nil
            phone = isResearched ? "+1 503 555 0100" : nil
        }
    }
}

/// Everybody's contacts, and what organisations have had researched, in memory.
final class SampleContacts: Sendable {
    /// How far a research has come.
    struct Progress: Sendable, Encodable {
        let requestId: String
        let status: String
        let contact: SampleRecord.Shown?
        let company: SampleRecord.Shown?
    }

    private struct Research {
        let id: String
        let record: SampleRecord
        let at: Date
    }

    private struct Organisation {
        var credits = SampleContacts.firstCredits
        var researches: [Research] = []
    }

    private let organisations = Mutex<[String: Organisation]>([:])
    private let now: @Sendable () -> Date

    /// What an organisation starts with.
    private static let firstCredits = 100
    /// How long a research takes.
    static let researchTime: TimeInterval = 1
    private static let organisationLimit = 10_000

    init(now: @escaping @Sendable () -> Date) {
        self.now = now
    }

    /// How many records a page has: 50 unless the caller says otherwise, 500 at most; nil for what is no number of them.
    static func pageSize(_ wish: Int?) -> Int? {
        guard let wish else { return 50 }
        return wish < 1 ? nil : min(wish, 500)
    }

    /// All records of a kind.
    func all(_ kind: SampleRecord.Kind) -> [SampleRecord] {
        kind == .contacts ? Self.people : Self.companies
    }

    /// How many researches an organisation can still pay.
    func credits(of organisation: String) -> Int {
        organisations.withLock { $0[organisation]?.credits ?? Self.firstCredits }
    }

    /// Begins to research records; each costs one credit, and without enough of them nothing happens at all.
    func research(
        _ ids: [String],
        _ kind: SampleRecord.Kind,
        for name: String
    ) throws(ContactsError) -> [String] {
        var records: [SampleRecord] = []
        for id in ids {
            guard let record = all(kind).first(where: { $0.id == id }) else {
                throw .badParameters("'\(id.prefix(60))' is not the searchResultId of one of the \(kind.rawValue).")
            }
            records.append(record)
        }
        let (chosen, now) = (records, now())
        let outcome = organisations.withLock { organisations -> Result<[String], ContactsError> in
            // The sample forgets everybody rather than grow for ever.
            if organisations.count >= Self.organisationLimit { organisations.removeAll() }
            var organisation = organisations[name] ?? Organisation()
            guard organisation.credits >= chosen.count else {
                let missing = chosen.count - organisation.credits
                return .failure(.insufficientCredits(category: kind.rawValue, missing: missing))
            }
            organisation.credits -= chosen.count
            let new = chosen.map { Research(id: "req_\(UInt64.random(in: .min ... .max))", record: $0, at: now) }
            organisation.researches += new
            organisations[name] = organisation
            return .success(new.map(\.id))
        }
        return try outcome.get()
    }

    /// How far an organisation's researches have come; one that is not there is an error, not a shorter list.
    func progress(
        of ids: [String],
        _ kind: SampleRecord.Kind,
        for name: String
    ) throws(ContactsError) -> [Progress] {
        let known = organisations.withLock { $0[name]?.researches ?? [] }
        let now = now()
        var progress: [Progress] = []
        for id in ids {
            guard let research = known.first(where: { $0.id == id && $0.record.kind == kind }) else {
                throw .badParameters("'\(id.prefix(60))' is not one of this organisation's requests.")
            }
            let isDone = now.timeIntervalSince(research.at) >= Self.researchTime
            let shown = isDone ? SampleRecord.Shown(record: research.record, isResearched: true) : nil
            progress.append(
                Progress(
                    requestId: id,
                    status: isDone ? "done" : "researching",
                    contact: kind == .contacts ? shown : nil,
                    company: kind == .companies ? shown : nil
                )
            )
        }
        return progress
    }

    /// What an organisation has had researched, each record once, the oldest first.
    func researched(_ kind: SampleRecord.Kind, by name: String) -> [(record: SampleRecord, at: Date)] {
        let all = organisations.withLock { $0[name]?.researches ?? [] }
        let now = now()
        var seen: Set<String> = []
        return all.compactMap { research in
            guard research.record.kind == kind, now.timeIntervalSince(research.at) >= Self.researchTime,
                seen.insert(research.record.id).inserted
            else { return nil }
            return (research.record, research.at)
        }
    }

    private static let companies: [SampleRecord] = [
        ("Halden Locks", "Portland"), ("Juniper Lettings", "Bend"), ("Lakeview Hotels", "Eugene"),
        ("Cascade Deliveries", "Salem"), ("Harbor Storage", "Astoria"), ("Summit Coworking", "Portland"),
    ].enumerated().map { index, company in
        SampleRecord(
            id: "company_\(index + 1)",
            kind: .companies,
            name: company.0,
            title: "",
            company: company.0,
            domain: company.0.lowercased().replacing(" ", with: "-") + ".example",
            city: company.1
        )
    }

    /// 120 people: everybody works everywhere.
    private static let people: [SampleRecord] = {
        let names = [
            "Ada Byron", "Ben Ortiz", "Clara Novak", "Dev Patel", "Elif Demir", "Femi Okafor", "Greta Lind",
            "Hugo Silva",
            "Ines Costa", "Jun Mori", "Kofi Mensah", "Lena Vogel", "Milo Reyes", "Nora Haug", "Omar Aziz", "Priya Nair",
            "Quinn Walsh", "Rosa Bianchi", "Sami Laine", "Tess Moreau",
        ]
        let titles = ["Facility Manager", "Head of Operations", "Buyer", "Chief Executive"]
        return companies.flatMap { company in
            names.enumerated().map { index, name in
                SampleRecord(
                    id: "contact_\(company.id.dropFirst(8))_\(index + 1)",
                    kind: .contacts,
                    name: name,
                    title: titles[index % titles.count],
                    company: company.name,
                    domain: company.domain,
                    city: company.city
                )
            }
        }
    }()
}
