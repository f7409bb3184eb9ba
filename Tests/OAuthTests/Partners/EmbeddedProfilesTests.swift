/// The profiles that come with the program: each file is embedded, parses, names its sources, and has its row in the tests.
import Foundation
import OAuth
import Testing

@Suite struct `embedded profiles` {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The files as they lie in the source, by id.
    private static func files() throws -> [String: String] {
        let folder = root.appending(path: "Sources/OAuth/Partners/Profiles")
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        return Dictionary(
            uniqueKeysWithValues: try names.filter { $0.hasSuffix(".yaml") }.map { name in
                let text = try String(contentsOf: folder.appending(path: name), encoding: .utf8)
                return (String(name.dropLast(".yaml".count)), text)
            }
        )
    }

    @Test func `every file of the folder is embedded under its own name`() throws {
        let files = try Self.files()
        let embedded = try PartnerProfiles.embedded()
        #expect(Set(files.keys) == Set(embedded.ids))
        for (id, text) in files {
            #expect(try PartnerProfile(yaml: text, file: id + ".yaml").id == id)
        }
    }

    @Test func `the partners of the issue are there`() throws {
        let wanted = [
            "alexa", "aws-iot", "chatgpt", "claude", "google-home", "gpt-actions", "home-assistant", "ifttt", "make",
            "n8n", "seam", "seam-legacy", "seamless", "slack", "smartthings", "zapier",
        ]
        #expect(Set(try PartnerProfiles.embedded().ids).isSuperset(of: wanted))
    }

    /// A group is what stands between two empty lines: one comment for a few rules that belong together.
    @Test func `every group of rules names a source, or is loosened with one`() throws {
        for profile in try PartnerProfiles.embedded().all {
            let text = try #require(try Self.files()[profile.id])
            let rules = text.split(separator: "\nrules:\n")[1].split(separator: "\nloosened:")[0]
                .split(separator: "\nunmet:")[0]
            for group in rules.split(separator: "\n\n") where group.contains(":") {
                let comments = group.split(separator: "\n").filter { $0.hasPrefix("  #") }.joined(separator: " ")
                let keys = group.split(separator: "\n").filter { $0.hasPrefix("  ") && $0.dropFirst(2).first != " " }
                    .filter { !$0.hasPrefix("  #") }.map { String($0.dropFirst(2).prefix { $0 != ":" }) }
                let reasons = profile.loosened.filter { keys.contains($0.rule) }.map(\.why)
                let isNamed = profile.sources.keys.contains { mark in
                    comments.contains(mark) || (reasons.count == keys.count && reasons.allSatisfy { $0.contains(mark) })
                }
                let isReasoned = Set(profile.loosened.map(\.rule)).isSuperset(of: keys)
                #expect(isNamed || isReasoned, "\(profile.id): no source in\n\(group)")
            }
        }
    }

    @Test func `every source is used, and says when it was read or which version it is`() throws {
        for profile in try PartnerProfiles.embedded().all {
            let text = try #require(try Self.files()[profile.id])
            let behind = text.split(separator: "\nrules:\n")[1]
            for (mark, source) in profile.sources {
                #expect(behind.contains(mark), "\(profile.id): nothing refers to \(mark)")
                #expect(source.contains(/20\d\d|RFC|[0-9a-f]{8}/), "\(profile.id): when was \(mark) read?")
            }
        }
    }

    @Test func `every unmet need and every loosened rule has a reason in a sentence`() throws {
        for profile in try PartnerProfiles.embedded().all {
            for why in profile.loosened.map(\.why) + profile.unmet.map(\.why) {
                #expect(why.count > 20 && why.hasSuffix("."), "\(profile.id): \(why)")
            }
        }
    }

    @Test func `every profile has its row in the table of the black-box suite`() throws {
        let table = try String(
            contentsOf: Self.root.appending(path: "Tests/Blackbox/partner_table.py"),
            encoding: .utf8
        )
        for id in try PartnerProfiles.embedded().ids {
            let isThere = table.contains("Habits(\n        \"\(id)\"") || table.contains("Habits(\"\(id)\"")
            #expect(isThere, "no row for \(id)")
        }
    }

    /// Comments too: what they would explain belongs into the profile, beside its source.
    @Test func `no partner's name stands in Swift outside the tests`() throws {
        let profiles = try PartnerProfiles.embedded().all
        let words = profiles.flatMap { profile in
            ["\"\(profile.id)\"", "'\(profile.id)'", "--partner \(profile.id)", "client:\(profile.id)"]
        }
        let names = profiles.flatMap { [$0.name, $0.id] }.filter { $0.lowercased() != "make" }
            .map { $0.lowercased() }
        let pattern = try Regex("\\b(" + names.joined(separator: "|").replacing(".", with: "\\.") + ")\\b")
        for folder in ["Sources", "Plugins", "Examples", "Benchmarks"] {
            let place = Self.root.appending(path: folder)
            let walk = try #require(FileManager.default.enumerator(atPath: place.path))
            for case let path as String in walk where path.hasSuffix(".swift") && !path.contains(".build/") {
                let text = try String(contentsOf: place.appending(path: path), encoding: .utf8)
                for line in text.split(separator: "\n") {
                    #expect(!words.contains { line.contains($0) }, "\(folder)/\(path): \(line)")
                    #expect(line.lowercased().firstMatch(of: pattern) == nil, "\(folder)/\(path): \(line)")
                }
            }
        }
    }
}
