// A sentence of the pages with named places, such as `{client}`, that are filled when a page is made.

/// A sentence in one language.
///
/// Its places are found before anything is filled in, so a name that holds `{…}` stays as it is.
struct Sentence: Sendable, Equatable, ExpressibleByStringLiteral {
    /// What a sentence may have filled in.
    enum Place: String, Sendable {
        case brand, client, host, wait, time, browser, system
    }

    private enum Part: Sendable, Equatable {
        case text(String)
        case place(Place)
    }

    private let parts: [Part]

    init(stringLiteral text: String) {
        var parts: [Part] = []
        var rest = text[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            guard let place = Place(rawValue: String(rest[rest.index(after: open)..<close])) else { break }
            parts.append(.text(String(rest[..<open])))
            parts.append(.place(place))
            rest = rest[rest.index(after: close)...]
        }
        parts.append(.text(String(rest)))
        self.parts = parts.filter { $0 != .text("") }
    }

    /// Whether places stay to be filled once the brand is known.
    fileprivate var needsMoreThanBrand: Bool {
        parts.contains { if case .place(let place) = $0 { place != .brand } else { false } }
    }

    /// The sentence as plain text.
    func filled(_ fillings: [Place: String]) -> String {
        parts.map { part in
            switch part {
            case .text(let text): text
            case .place(let place): fillings[place] ?? ""
            }
        }
        .joined()
    }

    /// The sentence in pieces for a template, so that what was filled in stands out and keeps its own writing direction.
    func pieces(_ fillings: [Place: String]) -> [PageValues] {
        parts.map { part in
            var piece = PageValues()
            switch part {
            case .text(let text): piece.set("text", text)
            case .place(let place): piece.set("filled", fillings[place])
            }
            return piece
        }
    }
}

extension PageValues {
    /// The sentences of a language that need nothing but the brand's name, each under its own name.
    ///
    /// - Parameters:
    ///   - words: a structure of sentences.
    ///   - brand: the brand's name.
    init(sentencesOf words: some Sendable, brand: String) {
        self.init()
        for child in Mirror(reflecting: words).children {
            guard let name = child.label, let sentence = child.value as? Sentence, !sentence.needsMoreThanBrand else {
                continue
            }
            set(name, sentence.filled([.brand: brand]))
        }
    }
}
