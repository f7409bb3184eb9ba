// What every page has in common.

/// A page that a person sees: a plain value that knows its template, its title and what the template may name.
protocol Page: Sendable {
    var template: PageTemplate { get }

    /// Whether a partner may have opened the window that it is shown in.
    var mayBeInPartnersWindow: Bool { get }

    /// The page's name in the browser's tab, before the brand's.
    func title(_ words: Words) -> String

    func values(_ setting: PageSetting) -> PageValues
}

extension Page {
    var mayBeInPartnersWindow: Bool { false }
}

/// What a page's values depend on besides the page itself.
struct PageSetting: Sendable {
    let words: Words
    let brand: Brand
    /// The path of the issuer, empty or such as `/auth`; it goes before every local path.
    let basePath: String
}

/// The templates, each one a file in `Templates`.
enum PageTemplate: String, CaseIterable, Sendable {
    case layout
    case signIn = "sign_in"
    case consent
    case selectAccount = "select_account"
    case error
    case message
    case sentence
    case account
    case consoleLayout = "console_layout"
    case consoleMenu = "console_menu"
    case consolePage = "console_page"
    case consoleGate = "console_gate"
    case consoleBlock = "console_block"
    case consoleTable = "console_table"
    case consoleCell = "console_cell"
    case consoleBadge = "console_badge"
    case consoleLink = "console_link"
    case consoleForm = "console_form"
    case consoleChart = "console_chart"
    case accountHome = "account_home"
    case accountConfirm = "account_confirm"
    case accountPassword = "account_password"

    var embedded: [UInt8] {
        switch self {
        case .layout: PackageResources.layout_mustache
        case .signIn: PackageResources.sign_in_mustache
        case .consent: PackageResources.consent_mustache
        case .selectAccount: PackageResources.select_account_mustache
        case .error: PackageResources.error_mustache
        case .message: PackageResources.message_mustache
        case .sentence: PackageResources.sentence_mustache
        case .account: PackageResources.account_mustache
        case .consoleLayout: PackageResources.console_layout_mustache
        case .consoleMenu: PackageResources.console_menu_mustache
        case .consolePage: PackageResources.console_page_mustache
        case .consoleGate: PackageResources.console_gate_mustache
        case .consoleBlock: PackageResources.console_block_mustache
        case .consoleTable: PackageResources.console_table_mustache
        case .consoleCell: PackageResources.console_cell_mustache
        case .consoleBadge: PackageResources.console_badge_mustache
        case .consoleLink: PackageResources.console_link_mustache
        case .consoleForm: PackageResources.console_form_mustache
        case .consoleChart: PackageResources.console_chart_mustache
        case .accountHome: PackageResources.account_home_mustache
        case .accountConfirm: PackageResources.account_confirm_mustache
        case .accountPassword: PackageResources.account_password_mustache
        }
    }
}

/// The longest name of an account or a client that a page shows.
let maximumShownName = 80

/// The letter that stands for a name without a picture.
func initial(of name: String) -> String {
    name.first { $0.isLetter || $0.isNumber }?.uppercased() ?? "•"
}
