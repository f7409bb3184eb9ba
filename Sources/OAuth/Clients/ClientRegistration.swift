/// What an operator said of a client: the part that is stored.
///
/// What is nil follows the profile, then the default.
public struct ClientRegistration: Sendable, Equatable, Codable {
    /// `client_id`.
    public var id: String
    /// What people read: who asks.
    public var name: String
    /// The id of its partner profile.
    public var partner: String?
    /// Whether it cannot keep a secret.
    public var isPublic: Bool?
    /// Where authorization responses may go; replaces the profile's.
    public var redirectURIs: [String]?
    /// What the operator says for the names in the profile's redirect URIs.
    public var profileValues: [String: String]?
    /// What it may ask for; replaces the profile's.
    ///
    /// A request without scope gets the profile's default ones among these; where there are none of them, all of these.
    public var scopes: [String]?
    /// Which grants it may use; an empty list makes it a resource server.
    public var grants: [GrantType.RawValue]?
    /// How its refresh tokens behave.
    public var refresh: RefreshPolicy.RawValue?
    /// What its access tokens look like.
    public var accessToken: AccessTokenFormat.RawValue?
    /// How many seconds they live.
    public var accessTokenLifetime: Int64?
    /// The audiences it serves as a resource server.
    public var audiences: [String]?
    /// What its tokens may be for besides the default audience.
    public var resources: [String]?
    /// When people are asked.
    public var consent: ConsentRule.RawValue?
    /// Whether an operator switched it off.
    public var isDisabled: Bool

    /// Makes a registration that says nothing but who.
    public init(id: String, name: String, partner: String? = nil) {
        self.id = id
        self.name = name
        self.partner = partner
        isDisabled = false
    }

    enum CodingKeys: String, CodingKey {
        case id
        case name
        case partner
        case isPublic = "public"
        case redirectURIs = "redirect_uris"
        case profileValues = "profile_values"
        case scopes
        case grants
        case refresh
        case accessToken = "access_token"
        case accessTokenLifetime = "access_token_lifetime"
        case audiences
        case resources
        case consent
        case isDisabled = "disabled"
    }
}
