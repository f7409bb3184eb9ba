/// The JSON of our answers (RFC 8259).
import OAuth
import Testing

@Suite struct `RFC 8259: written JSON` {
    @Test func `§4: members stand in the order in which they were written`() {
        var writer = JSONWriter()
        writer.member("text", "a")
        writer.member("number", Int64.min)
        writer.member("flag", true)
        writer.member("list", ["x", "y"])
        writer.member("empty", [String]())
        #expect(
            String(decoding: writer.finish(), as: UTF8.self)
                == #"{"text":"a","number":-9223372036854775808,"flag":true,"list":["x","y"],"empty":[]}"#
        )
    }

    @Test func `§4: an object without members, and objects in an array`() {
        #expect(JSONWriter().finish() == Array("{}".utf8))
        var writer = JSONWriter()
        writer.member("keys", objects: [JSONWriter().finish(), JSONWriter().finish()])
        #expect(String(decoding: writer.finish(), as: UTF8.self) == #"{"keys":[{},{}]}"#)
    }

    @Test func `§7: every text comes back from a parser that is not ours`() throws {
        var random = SeededGenerator(seed: 8259)
        let controls = String(String.UnicodeScalarView((0..<0x80).compactMap { Unicode.Scalar($0 as UInt32) }))
        for text in [controls, "\u{2028}\u{FEFF}</script>"] + (0..<200).map({ _ in random.text(upTo: 40) }) {
            var writer = JSONWriter()
            writer.member("value", text)
            let value = try #require(try members(writer.finish())["value"] as? String)
            #expect(Array(value.utf8) == Array(text.utf8))
        }
    }
}
