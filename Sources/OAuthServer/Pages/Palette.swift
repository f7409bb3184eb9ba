// The colours of one scheme, worked out from the brand so that every text on every page keeps WCAG's contrast (AA).

/// The colours of the light or of the dark scheme.
struct Palette: Sendable, Equatable {
    let ground: Colour
    let surface: Colour
    /// The fill of the main button.
    let accent: Colour
    /// The fill under the pointer: always further away from the text's colour than the accent itself.
    let accentHover: Colour
    let onAccent: Colour
    /// The accent as a text or a focus ring on surface, ground and tint.
    let accentText: Colour
    /// The main button's outline: visible even when the brand's colour nearly equals the surface.
    let accentLine: Colour
    /// A faint tint for quiet places.
    let accentTint: Colour

    static func light(_ brand: Brand) -> Palette {
        Palette(
            ground: Colour(red: 0xF3, green: 0xF2, blue: 0xEE),
            surface: .white,
            accent: brand.accent
        )
    }

    static func dark(_ brand: Brand) -> Palette {
        let surface = Colour(red: 0x17, green: 0x1A, blue: 0x1E)
        return Palette(
            ground: Colour(red: 0x0D, green: 0x0F, blue: 0x11),
            surface: surface,
            // The brand's own colour where it can be seen; the outline and the links are lightened further where needed.
            accent: brand.darkAccent ?? brand.accent.readable(on: [surface], ratio: 1.8)
        )
    }

    private init(ground: Colour, surface: Colour, accent: Colour) {
        self.ground = ground
        self.surface = surface
        self.accent = accent
        onAccent = accent.textOnTop
        accentHover = accent.mixed(with: onAccent == .white ? .black : .white, share: 0.14)
        accentLine = accent.readable(on: [surface], ratio: 3)
        accentTint = surface.mixed(with: accent, share: 0.1)
        accentText = accent.readable(on: [surface, ground, accentTint], ratio: 4.5)
    }

    /// The custom properties that the stylesheet uses.
    var declarations: String {
        """
        --ground:\(ground);--surface:\(surface);--accent:\(accent);--accent-hover:\(accentHover);\
        --on-accent:\(onAccent);--accent-text:\(accentText);--accent-line:\(accentLine);--accent-tint:\(accentTint)
        """
    }
}
