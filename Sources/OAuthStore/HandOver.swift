import Glibc

/// Gives a file that root has made, in a command beside the server, to whom a place belongs: else the server could not open it.
///
/// Where the system does not let root do that, the file stays root's.
///
/// - Parameters:
///   - file: the open file: a name might lead elsewhere by now.
///   - place: what the owner is taken of: the file that was there before, or the folder.
/// - Returns: whether there is such a place.
@discardableResult
public func handOver(_ file: Int32, toOwnerOf place: String) -> Bool {
    var facts = stat()
    guard stat(place, &facts) == 0 else { return false }
    if geteuid() == 0 { _ = fchown(file, facts.st_uid, facts.st_gid) }
    return true
}
