/// Text that other people wrote, made safe to show: no invisible controls, nothing that could slip past the escaping.
extension String {
    /// The text in one line, without control characters and marks that turn the direction of writing, cut to a limit.
    ///
    /// A client's name with a right-to-left override could make its neighbour's words read backwards, so such marks go.
    func shown(limit: Int) -> String {
        var text = ""
        var space = false
        for scalar in unicodeScalars {
            if scalar.properties.isWhitespace {
                space = true
            } else if !scalar.isInvisible {
                if space, !text.isEmpty {
                    text.unicodeScalars.append(" ")
                }
                space = false
                text.unicodeScalars.append(scalar)
            }
        }
        return text.count > limit ? text.prefix(limit - 1) + "…" : text
    }

    /// The text with the five characters of HTML's syntax standing alone.
    ///
    /// swift-mustache escapes by `Character`. A quotation mark that is followed by a combining mark is another
    /// `Character`, passes unescaped, and ends an attribute: so whatever clings to one of the five is dropped here.
    var separatingSyntax: String {
        guard !utf8.allSatisfy({ $0 < 0x80 }) else { return self }
        var text = ""
        text.reserveCapacity(utf8.count)
        for character in self {
            if let syntax = character.unicodeScalars.first(where: \.isSyntax), character.unicodeScalars.count > 1 {
                text.unicodeScalars.append(syntax)
            } else {
                text.append(character)
            }
        }
        return text
    }
}

extension Unicode.Scalar {
    fileprivate var isSyntax: Bool {
        switch self {
        case "<", ">", "&", "\"", "'": true
        default: false
        }
    }

    /// Controls, surrogates and private characters, and format characters but for the joiners that scripts and emoji need.
    fileprivate var isInvisible: Bool {
        switch properties.generalCategory {
        case .control, .privateUse, .surrogate, .lineSeparator, .paragraphSeparator: true
        case .format: self != "\u{200C}" && self != "\u{200D}"
        default: false
        }
    }
}
