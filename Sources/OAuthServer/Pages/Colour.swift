// A colour of the brand, and how well two colours can be told apart (WCAG 2.2, relative luminance and contrast ratio).

import Foundation

/// An opaque sRGB colour, written `#rrggbb`.
public struct Colour: Sendable, Hashable, CustomStringConvertible {
    let red: UInt8
    let green: UInt8
    let blue: UInt8

    static let white = Colour(red: 255, green: 255, blue: 255)
    static let black = Colour(red: 0, green: 0, blue: 0)

    init(red: UInt8, green: UInt8, blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    /// Reads a colour that is written as `#` and six hexadecimal digits.
    /// - Parameter text: The colour, in upper or lower case, such as `#0e6561`.
    /// - Throws: `PagesError` when the text has another form; names of colours and short forms are not taken.
    public init(_ text: String) throws(PagesError) {
        let digits = text.utf8.dropFirst().compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
        guard text.utf8.first == UInt8(ascii: "#"), text.utf8.count == 7, digits.count == 6 else {
            throw PagesError(
                "The colour \"\(text)\" is not valid: write # and six hexadecimal digits, such as #0e6561."
            )
        }
        red = UInt8(digits[0] * 16 + digits[1])
        green = UInt8(digits[2] * 16 + digits[3])
        blue = UInt8(digits[4] * 16 + digits[5])
    }

    /// The colour as `#rrggbb` in lower case.
    public var description: String {
        let digits = Array("0123456789abcdef")
        return [red, green, blue].reduce(into: "#") { text, part in
            text.append(digits[Int(part / 16)])
            text.append(digits[Int(part % 16)])
        }
    }

    /// The relative luminance of WCAG 2.2: 0 for black, 1 for white.
    var luminance: Double {
        func linear(_ part: UInt8) -> Double {
            let value = Double(part) / 255
            return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }

    /// The contrast ratio of WCAG 2.2: 1 for equal colours, 21 for black and white; text needs 4.5, a control's outline 3.
    func contrast(with other: Colour) -> Double {
        let (mine, theirs) = (luminance, other.luminance)
        return (max(mine, theirs) + 0.05) / (min(mine, theirs) + 0.05)
    }

    /// This colour with a share of another one, from 0 (none of it) to 1 (only it).
    func mixed(with other: Colour, share: Double) -> Colour {
        func mix(_ mine: UInt8, _ theirs: UInt8) -> UInt8 {
            UInt8((Double(mine) * (1 - share) + Double(theirs) * share).rounded())
        }
        return Colour(
            red: mix(red, other.red),
            green: mix(green, other.green),
            blue: mix(blue, other.blue)
        )
    }

    /// The nearest darker or lighter colour that reaches a contrast ratio with every one of the backgrounds.
    ///
    /// On dark backgrounds the colour first gains brightness and only then white, so that a brand's colour stays vivid.
    func readable(on backgrounds: [Colour], ratio: Double) -> Colour {
        let dark = backgrounds.allSatisfy { $0.luminance < 0.18 }
        let way = dark ? [self, brightest, .white] : [self, .black]
        for (from, to) in zip(way, way.dropFirst()) {
            for step in 0...25 {
                let candidate = from.mixed(with: to, share: Double(step) / 25)
                if backgrounds.allSatisfy({ candidate.contrast(with: $0) >= ratio }) {
                    return candidate
                }
            }
        }
        return dark ? .white : .black
    }

    /// The same hue and saturation at full brightness; black stays black.
    private var brightest: Colour {
        let most = Int(max(red, green, blue))
        guard most > 0 else { return self }
        return Colour(
            red: UInt8(Int(red) * 255 / most),
            green: UInt8(Int(green) * 255 / most),
            blue: UInt8(Int(blue) * 255 / most)
        )
    }

    /// Black or white, whichever can be read better on this colour; one of them always reaches 4.5.
    var textOnTop: Colour {
        contrast(with: .white) >= 4.5 ? .white : (contrast(with: .black) >= 4.5 ? .black : .white)
    }
}
