/// Scopes (RFC 6749 §3.3).
import OAuth
import Testing

@Suite struct `RFC 6749 §3.3: scopes` {
    @Test func `§3.3: names stand in the order given, each once, with single spaces`() throws {
        #expect(try Scope("b a  b c ").description == "b a c")
        #expect(try Scope(names: ["write", "read", "write"]).names == ["write", "read"])
        #expect(try Scope("").isEmpty)
        #expect(refusal { try Scope("   ") } == .invalidScope)
    }

    @Test func `§3.3: a name holds exactly the characters of the grammar`() {
        for byte in UInt8.min..<128 where byte != UInt8(ascii: " ") {
            let isAllowed = byte == 0x21 || (0x23...0x5B).contains(byte) || (0x5D...0x7E).contains(byte)
            let text = "a" + String(Unicode.Scalar(byte))
            #expect(refusal { try Scope(text) } == (isAllowed ? nil : .invalidScope), "byte \(byte)")
        }
    }

    @Test(arguments: ["ü", "läs", "a\u{A0}b", "😀", "a\u{200B}"])
    func `§3.3: other characters are refused`(_ text: String) {
        #expect(refusal { try Scope(text) } == .invalidScope)
    }

    @Test func `§3.3: a name of a list has no space and is not empty`() {
        #expect(refusal { try Scope(names: ["a b"]) } == .invalidScope)
        #expect(refusal { try Scope(names: [""]) } == .invalidScope)
    }

    @Test func `§3.3: a name with a comma is one, but nobody registers it so`() throws {
        #expect(try Scope("a,b").names == ["a,b"])
        #expect(try Scope(registering: ["a", "b", "a"]).names == ["a", "b"])
        for names in [["a", "b,c"], ["a b"], [""]] {
            #expect(throws: RegistrationError.self, "\(names)") { try Scope(registering: names) }
        }
    }

    @Test func `A24: there are limits to the number of names and their length`() {
        let names = (0...Scope.nameLimit).map { "s\($0)" }
        #expect(refusal { try Scope(names: Array(names.dropLast())) } == nil)
        #expect(refusal { try Scope(names: names) } == .invalidScope)
        #expect(refusal { try Scope(String(repeating: "a", count: Scope.lengthLimit)) } == nil)
        #expect(refusal { try Scope(String(repeating: "a", count: Scope.lengthLimit + 1)) } == .invalidScope)
    }

    @Test func `§6: narrower, wider and common`() throws {
        let scope = try Scope("locks.read locks.write")
        #expect(try Scope("locks.write").isSubset(of: scope))
        #expect(Scope.none.isSubset(of: scope))
        #expect(!scope.isSubset(of: try Scope("locks.write")))
        #expect(!(try Scope("LOCKS.READ").isSubset(of: scope)))
        #expect(try scope.intersection(Scope("x locks.write locks.read")).names == ["locks.read", "locks.write"])
        #expect(try scope.intersection(Scope("locks")).isEmpty)
        #expect(scope.contains("locks.read"))
        #expect(!scope.contains("locks"))
    }
}
