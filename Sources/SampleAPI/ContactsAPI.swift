import FoundationEssentials
import HTTPTypes
import Hummingbird
import OAuthGuard

/// Contacts and companies, as a seller of them has them: by connection, or by API key in the header `Token`.
///
/// Finished research can be polled for, or be told to a webhook (`WebhooksAPI.swift`). The document's webhooks carry a
/// shared secret in a header of their own, in the clear; the server's own webhooks are signed.
extension SampleCompany {
    func addContacts<Context: RequestContext>(to router: some RouterMethods<Context>) {
        let api = router.group("api/client/v1")
            .add(middleware: RateHeaders(rates: rates))
            .group("", context: GuardedContext<Context>.self)
            .add(
                middleware: BearerTokenMiddleware(
                    verifier,
                    apiKeys: apiKeys,
                    realm: "contacts",
                    refusalBody: ContactsError.body
                )
            )
            .add(middleware: LimitRate(company: self))
            .add(middleware: PermitsKeys("publicAPI.v1.all"))
        for kind in SampleRecord.Kind.allCases {
            let path = kind.rawValue
            api.post(RouterPath("search/\(path)")) { request, context in try await search(kind, request, context) }
            api.post(RouterPath("\(path)/research")) { request, context in try await research(kind, request, context) }
            api.get(RouterPath("\(path)/research/poll")) { request, context in try poll(kind, request, context) }
            api.get(RouterPath(path)) { request, context in try list(kind, request, context) }
        }
    }

    private func search(
        _ kind: SampleRecord.Kind,
        _ request: Request,
        _ context: some GuardedRequestContext
    ) async throws -> FoundRecords {
        guard let wish = request.isWithoutBody ? SearchWish() : await request.object(SearchWish.self, context) else {
            throw ContactsError.badParameters(
                #"Send a JSON object such as {"companyName": ["Halden"], "limit": 50}."#
            )
        }
        guard let limit = SampleContacts.pageSize(wish.limit) else {
            throw ContactsError.badParameters("limit must be a whole number from 1 on.")
        }
        let found = contacts.all(kind).filter { wish.matches($0) }
        guard let start = wish.start, start <= found.count else {
            throw ContactsError.badParameters("nextToken is not one that this search has given.")
        }
        let page = found.dropFirst(start).prefix(limit)
        let isMore = start + page.count < found.count
        return FoundRecords(
            data: page.map { SampleRecord.Shown(record: $0, isResearched: false) },
            supplementalData: .init(
                isMore: isMore,
                total: found.count,
                perPage: limit,
                nextToken: isMore ? wish.token(for: start + page.count) : nil
            )
        )
    }

    private func research(
        _ kind: SampleRecord.Kind,
        _ request: Request,
        _ context: some GuardedRequestContext
    ) async throws -> EditedResponse<AcceptedResearch> {
        let organisation = try context.organisation
        guard let ids = await request.object(ResearchWish.self, context)?.searchResultIds, (1...100).contains(ids.count)
        else {
            throw ContactsError.badParameters(
                #"Send {"searchResultIds": […]} with 1 to 100 ids, which a search gives."#
            )
        }
        let requests = try contacts.research(ids, kind, for: organisation)
        announce(requests, kind, for: organisation, to: context.accessToken?.clientID)
        return EditedResponse(status: .accepted, response: AcceptedResearch(requestIds: requests))
    }

    /// Tells the webhooks once the research is done.
    private func announce(
        _ requests: [String],
        _ kind: SampleRecord.Kind,
        for organisation: String,
        to client: String?
    ) {
        Task {
            guard await webhooks.canTell(after: .seconds(SampleContacts.researchTime)),
                let done = try? contacts.progress(of: requests, kind, for: organisation)
            else { return }
            let type = "\(kind.rawValue).research_completed"
            for one in done { webhooks.tell(type, ResearchEvent(event_type: type, research: one), to: client) }
        }
    }

    private func poll(
        _ kind: SampleRecord.Kind,
        _ request: Request,
        _ context: some GuardedRequestContext
    ) throws -> [String: [SampleContacts.Progress]] {
        let ids = (request.query("requestIds") ?? "").split(separator: ",").map(String.init)
        guard (1...100).contains(ids.count) else {
            throw ContactsError.badParameters("requestIds must name 1 to 100 requests, with commas between them.")
        }
        return ["data": try contacts.progress(of: ids, kind, for: try context.organisation)]
    }

    private func list(
        _ kind: SampleRecord.Kind,
        _ request: Request,
        _ context: some GuardedRequestContext
    ) throws -> ListedRecords {
        guard let page = request.number("page", or: 1), page >= 1, page <= 1_000_000,
            let limit = SampleContacts.pageSize(request.number("limit", or: 50))
        else { throw ContactsError.badParameters("page and limit must be whole numbers from 1 on.") }
        let (start, end) = (try request.date("startDate"), try request.date("endDate"))
        let all = contacts.researched(kind, by: try context.organisation).filter {
            $0.at >= start ?? .distantPast && $0.at <= end ?? .distantFuture
        }
        let shown = all.dropFirst((page - 1) * limit).prefix(limit)
        return ListedRecords(
            data: shown.map { SampleRecord.Shown(record: $0.record, isResearched: true) },
            supplementalData: .init(
                isMore: page * limit < all.count,
                total: all.count,
                perPage: limit,
                page: page
            )
        )
    }
}

extension GuardedRequestContext {
    /// Who pays, and whose minute is counted: the account; the company itself for its own keys.
    var organisation: String {
        get throws {
            let caller = try requireCaller()
            if let person = caller.userID { return person }
            guard case .apiKey = caller else { throw ContactsError.noOrganisation }
            return "company"
        }
    }
}

extension Request {
    /// A whole number of the query; nil when something else stands there.
    fileprivate func number(_ name: Substring, or standard: Int) -> Int? {
        guard let text = query(name) else { return standard }
        return Int(text)
    }

    /// A moment of the query (RFC 3339), or a day.
    fileprivate func date(_ name: Substring) throws(ContactsError) -> Date? {
        guard let text = query(name) else { return nil }
        let written = text.count == 10 ? text + "T00:00:00Z" : text
        guard let date = try? Date(written, strategy: .iso8601) else {
            throw .badParameters("\(name) must be a time such as 2026-11-21T00:00:00Z.")
        }
        return date
    }
}

/// What a search asks for; filters that this sample does not know are not looked at.
private struct SearchWish: Decodable {
    var fullName: Names?
    var companyName: Names?
    var companyDomain: Names?
    var jobTitle: Names?
    var limit: Int?
    var nextToken: String?

    /// One text, or several of which one must match.
    struct Names: Decodable {
        let values: [String]

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            values = try (try? container.decode(String.self)).map { [$0] } ?? container.decode([String].self)
        }
    }

    func matches(_ record: SampleRecord) -> Bool {
        [
            (fullName, record.name), (companyName, record.company), (companyDomain, record.domain),
            (jobTitle, record.title),
        ]
        .allSatisfy { wish, text in
            guard let wish else { return true }
            return wish.values.contains { text.lowercased().contains($0.lowercased()) }
        }
    }

    /// Where the page begins; nil for a cursor that this search has not given.
    var start: Int? {
        guard let nextToken else { return 0 }
        guard let bytes = Data(base64Encoded: nextToken),
            let start = Int(String(decoding: bytes, as: UTF8.self).dropFirst(5)),
            start > 0, nextToken == token(for: start)
        else { return nil }
        return start
    }

    func token(for start: Int) -> String { Data("next:\(start)".utf8).base64EncodedString() }
}

private struct ResearchWish: Decodable {
    let searchResultIds: [String]
}

private struct AcceptedResearch: ResponseEncodable {
    let success = true
    let requestIds: [String]

    private enum CodingKeys: CodingKey {
        case success, requestIds
    }
}

/// What a webhook is told: the same as who polls, and what happened.
private struct ResearchEvent: Encodable {
    let event_type: String
    let research: SampleContacts.Progress
}

private struct FoundRecords: ResponseEncodable {
    let data: [SampleRecord.Shown]
    let supplementalData: Cursor

    struct Cursor: Encodable {
        let isMore: Bool
        let total: Int
        let perPage: Int
        let nextToken: String?

        private enum CodingKeys: CodingKey {
            case isMore, total, perPage, nextToken
        }

        /// The end says so: `null`.
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(isMore, forKey: .isMore)
            try container.encode(total, forKey: .total)
            try container.encode(perPage, forKey: .perPage)
            try container.encode(nextToken, forKey: .nextToken)
        }
    }
}

private struct ListedRecords: ResponseEncodable {
    let data: [SampleRecord.Shown]
    let supplementalData: Place

    struct Place: Encodable {
        let isMore: Bool
        let total: Int
        let perPage: Int
        let page: Int
    }
}
