public import OAuthStore

extension BrowserName {
    /// Reads a `User-Agent` header; nothing of its text is kept but the words of these lists.
    ///
    /// Gives nil when there is neither a browser nor a system that we know in it.
    public init?(userAgent: String?) {
        guard let text = userAgent?.prefix(Self.longest) else { return nil }
        let family = Self.families.first { text.contains($0.mark) }?.name
        let system = Self.systems.first { text.contains($0.mark) }?.name
        guard family != nil || system != nil else { return nil }
        self.init(family: family, system: system)
    }

    private static let longest = 400

    /// The first that fits is the browser: most of them also claim to be Chrome, and all to be Safari.
    private static let families: [(mark: String, name: String)] = [
        ("Edg/", "Edge"), ("EdgA/", "Edge"), ("EdgiOS/", "Edge"), ("OPR/", "Opera"), ("Vivaldi/", "Vivaldi"),
        ("SamsungBrowser/", "Samsung Internet"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"),
        ("Chromium/", "Chromium"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
    ]

    private static let systems: [(mark: String, name: String)] = [
        ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
        ("Macintosh", "macOS"), ("Mac OS X", "macOS"), ("Linux", "Linux"),
    ]
}
