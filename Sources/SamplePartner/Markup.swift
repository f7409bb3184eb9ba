/// HTML that is safe by its type: a text put into it is escaped, and only another `Markup` is taken as it is.
struct Markup: ExpressibleByStringInterpolation, Sendable {
    let html: String

    init(stringLiteral html: String) {
        self.html = html
    }

    init(stringInterpolation: Interpolation) {
        html = stringInterpolation.html
    }

    init(_ parts: [Markup]) {
        html = parts.map(\.html).joined(separator: "\n")
    }

    struct Interpolation: StringInterpolationProtocol {
        fileprivate var html = ""

        init(literalCapacity: Int, interpolationCount: Int) {
            html.reserveCapacity(literalCapacity * 2)
        }

        mutating func appendLiteral(_ literal: String) {
            html += literal
        }

        mutating func appendInterpolation(_ markup: Markup) {
            html += markup.html
        }

        mutating func appendInterpolation(_ number: Int) {
            html += String(number)
        }

        mutating func appendInterpolation(_ text: String) {
            for character in text.unicodeScalars {
                switch character {
                case "&": html += "&amp;"
                case "<": html += "&lt;"
                case ">": html += "&gt;"
                case "\"": html += "&quot;"
                case "'": html += "&#39;"
                default: html.unicodeScalars.append(character)
                }
            }
        }
    }
}
