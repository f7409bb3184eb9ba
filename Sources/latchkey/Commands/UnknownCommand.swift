import ArgumentParser

/// A word where a command's name was expected: which one, and which names there are.
struct UnknownCommand: CustomStringConvertible {
    private let path: String
    private let word: String
    private let names: [String]

    /// Follows the arguments down the commands; nil when they lead to one.
    init?(_ arguments: some Sequence<String>, below root: any ParsableCommand.Type) {
        var command = root
        var path = root._commandName
        for word in arguments {
            let commands = command.configuration.subcommands
            guard !commands.isEmpty, !word.hasPrefix("-") else { return nil }
            if word == "help", command == root { continue }
            let next = commands.first { $0._commandName == word || $0.configuration.aliases.contains(word) }
            guard let next else {
                (self.path, self.word, names) = (path, word, commands.map { $0._commandName })
                return
            }
            command = next
            path += " " + word
        }
        return nil
    }

    var description: String {
        let guess = word.nearest(of: names).map { "; did you mean '\(path) \($0)'?" } ?? ""
        return "there is no command '\(path) \(word)'; there are \(names.joined(separator: ", "))\(guess)"
    }
}
