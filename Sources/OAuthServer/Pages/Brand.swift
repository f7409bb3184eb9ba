// How the operator's pages look: name, logo, colours and the links of the footer.

/// The operator's brand, which every page shows.
public struct Brand: Sendable, Equatable {
    /// The operator's name as its customers know it.
    public let name: String
    /// The logo beside the name; nil shows a small keyhole in the accent colour.
    public let logo: PageImage?
    /// The colour of buttons and links in the light scheme.
    public let accent: Colour
    /// The colour of buttons and links in the dark scheme; nil takes a readable one near to `accent`.
    public let darkAccent: Colour?
    /// Where a person finds help.
    public let support: PageLink?
    /// Where a person who has forgotten the password gets a new one.
    public let passwordReset: PageLink?
    /// The operator's privacy notice.
    public let privacy: PageLink?
    /// The operator's terms of use.
    public let terms: PageLink?

    /// The brand of a server whose settings name none.
    public static let standard = Brand(
        name: "Latchkey",
        logo: nil,
        accent: Colour(red: 0x0E, green: 0x65, blue: 0x61),
        darkAccent: nil,
        support: nil,
        passwordReset: nil,
        privacy: nil,
        terms: nil
    )

    private init(
        name: String,
        logo: PageImage?,
        accent: Colour,
        darkAccent: Colour?,
        support: PageLink?,
        passwordReset: PageLink?,
        privacy: PageLink?,
        terms: PageLink?
    ) {
        self.name = name
        self.logo = logo
        self.accent = accent
        self.darkAccent = darkAccent
        self.support = support
        self.passwordReset = passwordReset
        self.privacy = privacy
        self.terms = terms
    }

    /// Checks the brand as the settings write it.
    /// - Parameters:
    ///   - name: The operator's name, 1 to 80 characters.
    ///   - logo: An `https:` or `data:image/…` address; best at least 80 pixels high.
    ///   - accent: A colour as `#rrggbb`; nil takes the standard one.
    ///   - darkAccent: A colour as `#rrggbb` for the dark scheme.
    ///   - support: A web address, a `mailto:` address or a plain e-mail address.
    ///   - passwordReset: The web address where a person gets a new password.
    ///   - privacy: The web address of the privacy notice.
    ///   - terms: The web address of the terms of use.
    /// - Throws: `PagesError` that names the first wrong value and what to write instead.
    public init(
        name: String,
        logo: String? = nil,
        accent: String? = nil,
        darkAccent: String? = nil,
        support: String? = nil,
        passwordReset: String? = nil,
        privacy: String? = nil,
        terms: String? = nil
    ) throws(PagesError) {
        let shown = name.shown(limit: 80)
        guard !shown.isEmpty, shown == name else {
            throw PagesError(
                "The brand's name \"\(name.shown(limit: 80))\" must be 1 to 80 visible characters in one line."
            )
        }
        self.name = shown
        self.logo = try Self.image(logo)
        self.accent = if let accent { try Colour(accent) } else { Self.standard.accent }
        self.darkAccent = if let darkAccent { try Colour(darkAccent) } else { nil }
        self.support = try Self.link(
            support.map { $0.contains("@") && !$0.contains(":") ? "mailto:\($0)" : $0 },
            "support"
        )
        self.passwordReset = try Self.link(passwordReset, "password reset")
        self.privacy = try Self.link(privacy, "privacy")
        self.terms = try Self.link(terms, "terms")
    }

    private static func image(_ text: String?) throws(PagesError) -> PageImage? {
        guard let text else { return nil }
        guard let image = PageImage(text) else {
            throw PagesError(
                "The brand's logo \"\(text.shown(limit: 120))\" must be an https: address or a data:image/… address."
            )
        }
        return image
    }

    private static func link(_ text: String?, _ name: String) throws(PagesError) -> PageLink? {
        guard let text else { return nil }
        guard let link = PageLink(text) else {
            throw PagesError(
                "The brand's \(name) link \"\(text.shown(limit: 120))\" must be an https:, http: or mailto: address."
            )
        }
        return link
    }
}
