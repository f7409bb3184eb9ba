/// Attempts that turned out not to be failures.
public struct SettledAttempt: Sendable, Equatable {
    let account: [UInt8]
    let address: [UInt8]?
    let wasRight: Bool

    /// Makes a note of attempts to give back.
    ///
    /// - Parameters:
    ///   - account: the account's subject.
    ///   - address: the source address's subject; nil when it was not counted.
    ///   - wasRight: whether the password was right, which also forgets the account's failures before it; otherwise it
    ///     was not looked at.
    public init(account: [UInt8], address: [UInt8]?, wasRight: Bool) {
        self.account = account
        self.address = address
        self.wasRight = wasRight
    }
}
