import Glibc

/// Writes all of some bytes to a file.
///
/// - Parameters:
///   - bytes: what is written.
///   - file: an open file.
/// - Returns: 0, or the error's number, when a part may have been written.
package func writeAll(_ bytes: ArraySlice<UInt8>, to file: Int32) -> Int32 {
    var rest = bytes
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return count < 0 ? errno : EIO }
        rest = rest.dropFirst(count)
    }
    return 0
}
