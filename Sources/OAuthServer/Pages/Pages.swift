// The pages that a person sees: templates, words, brand and stylesheet made into HTML (OAuth 2.0 Security BCP, RFC 9700 §4.16).

import Mustache

/// Renders the pages.
///
/// Made once at start; everything that does not depend on the person is worked out then.
public struct Pages: Sendable {
    /// The files that the pages ask for, by name below `/assets/`.
    let assets: [String: PageAsset]
    /// The path of the stylesheet; its name holds a hash of its content, so that a browser may keep it for ever.
    let stylesheetPath: String
    /// The stylesheet with the brand's colours filled in.
    let stylesheet: String

    private let brand: Brand
    private let basePath: String
    private let templates: MustacheLibrary
    private let frames: [Language: PageValues]

    /// Loads the templates, the operator's own ones first.
    /// - Parameters:
    ///   - brand: Name, logo and colours.
    ///   - basePath: The path of the issuer: empty, or such as `/auth`. It goes before every link of every page.
    ///   - overrides: A folder whose files replace the built-in templates and assets of the same name.
    /// - Throws: `PagesError` when the base path is not one, the folder cannot be read, or one of its files is not known or
    ///   not correct; the sentence names the file.
    public init(brand: Brand = .standard, basePath: String = "", overrides: String? = nil) throws(PagesError) {
        guard basePath.isEmpty || PageLink(basePath) != nil && basePath.hasPrefix("/") && !basePath.hasSuffix("/")
        else {
            throw PagesError(
                "The pages' base path \"\(basePath)\" must be empty, or begin with / and not end with one."
            )
        }
        let folder: PageFolder? = if let overrides { try PageFolder(path: overrides) } else { nil }
        let bundle = try PageBundle(brand: brand, folder: folder)
        let path = { (name: String) in "\(basePath)/assets/\(bundle.names[name] ?? name)" }
        self.brand = brand
        self.basePath = basePath
        assets = bundle.assets
        stylesheet = bundle.stylesheet
        stylesheetPath = path("latchkey.css")
        templates = try Self.library(folder)
        frames = Dictionary(
            uniqueKeysWithValues: Language.allCases.map { language in
                let words = Words.of(language)
                var frame = PageValues()
                frame.set("language", language.rawValue)
                frame.set("words", PageValues(sentencesOf: words, brand: brand.name))
                frame.set("own", PageValues(sentencesOf: words.own, brand: brand.name))
                frame.set("stylesheet", path("latchkey.css"))
                frame.set("consoleStylesheet", path("console.css"))
                frame.set("icon", path("keyhole.svg"))
                frame.set("brandName", brand.name)
                frame.set("brandLogo", brand.logo?.address ?? path("keyhole.svg"))
                frame.set("supportLink", brand.support?.address(below: basePath))
                frame.set("privacyLink", brand.privacy?.address(below: basePath))
                frame.set("termsLink", brand.terms?.address(below: basePath))
                frame.set("hasFooter", brand.support != nil || brand.privacy != nil || brand.terms != nil)
                return (language, frame)
            }
        )
    }

    /// Renders a page.
    /// - Parameters:
    ///   - page: What to say.
    ///   - language: The language that the person reads.
    ///   - testMode: Whether the page carries the banner that nothing here is real.
    /// - Returns: The whole document, to be sent as `text/html; charset=utf-8`.
    func html(_ page: some Page, language: Language, testMode: Bool) -> String {
        let words = Words.of(language)
        var values = page.values(PageSetting(words: words, brand: brand, basePath: basePath))
        values.add(frames[language] ?? PageValues())
        values.set("title", page.title(words))
        values.set("testMode", testMode)
        // Every template is registered when the library is made, so the name is always known.
        return templates.render(values, withTemplate: page.template.rawValue) ?? ""
    }

    private static func library(_ folder: PageFolder?) throws(PagesError) -> MustacheLibrary {
        var library = MustacheLibrary()
        for template in PageTemplate.allCases {
            let name = "\(template.rawValue).mustache"
            let own = try folder?.text(name)
            do {
                try library.register(
                    own ?? String(decoding: template.embedded, as: UTF8.self),
                    named: template.rawValue
                )
            } catch let error as MustacheTemplate.ParserError {
                throw PagesError(
                    "\(name), line \(error.context.lineNumber): the template is not correct (\(error.error))."
                )
            } catch {
                throw PagesError("\(name): the template is not correct (\(error)).")
            }
        }
        return library
    }
}
