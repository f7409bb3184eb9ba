// The operator's own templates and assets, which replace the built-in ones of the same name.

import Foundation

/// A folder of overrides, checked: every file in it is one that the pages know how to use.
struct PageFolder: Sendable {
    /// The names of the files, sorted.
    let names: [String]
    private let path: String

    private static let maximumFileLength = 1 << 20

    init(path: String) throws(PagesError) {
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: path).filter { !$0.hasPrefix(".") }.sorted()
        } catch {
            throw PagesError(
                "The folder of templates \"\(path)\" cannot be read: name a folder that exists and may be read."
            )
        }
        self.path = path
        let templates = PageTemplate.allCases.map { "\($0.rawValue).mustache" }
        for name in names where !templates.contains(name) && PageBundle.type(of: name) == nil {
            throw PagesError(
                "\(path)/\(name) is not one of the pages' files. Templates are \(templates.sorted().joined(separator: ", ")); "
                    + "assets end in .css, .svg, .png, .jpg or .webp."
            )
        }
    }

    /// The text of a file, or nil when the folder does not have it.
    func text(_ name: String) throws(PagesError) -> String? {
        guard let bytes = try bytes(name) else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw PagesError("\(path)/\(name) is not UTF-8: save it as UTF-8.")
        }
        // Every value in a page may have been written by somebody else, so nothing may go in unescaped.
        for mark in ["{{{", "{{&", "{{=", "{{%"] where name.hasSuffix(".mustache") && text.contains(mark) {
            throw PagesError(
                "\(path)/\(name) uses \(mark), which puts text into the page unescaped. Write {{name}} instead."
            )
        }
        return text
    }

    /// The bytes of a file, or nil when the folder does not have it.
    func bytes(_ name: String) throws(PagesError) -> [UInt8]? {
        guard names.contains(name) else { return nil }
        guard let data = FileManager.default.contents(atPath: "\(path)/\(name)") else {
            throw PagesError("\(path)/\(name) cannot be read: give this program the right to read it.")
        }
        guard data.count <= Self.maximumFileLength else {
            throw PagesError("\(path)/\(name) has \(data.count) bytes: make it at most \(Self.maximumFileLength).")
        }
        return Array(data)
    }
}
