/// A command typed as one line: words between spaces; a word that starts with a quote ends with the same quote.
enum InlineCommand {
    static func words(of line: [UInt8]) throws(RESPError) -> [[UInt8]] {
        var words: [[UInt8]] = []
        var position = line.startIndex
        while true {
            while position < line.endIndex, isSpace(line[position]) { position += 1 }
            guard position < line.endIndex else { return words }
            let first = line[position]
            if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") {
                words.append(try quotedWord(line, &position))
            } else {
                let start = position
                while position < line.endIndex, !isSpace(line[position]) { position += 1 }
                words.append(Array(line[start..<position]))
            }
        }
    }

    private static func quotedWord(_ line: [UInt8], _ position: inout Int) throws(RESPError) -> [UInt8] {
        let quote = line[position]
        var word: [UInt8] = []
        position += 1
        while position < line.endIndex {
            let byte = line[position]
            if byte == quote {
                position += 1
                guard position == line.endIndex || isSpace(line[position]) else { throw .unbalancedQuotes }
                return word
            }
            if byte == UInt8(ascii: "\\"), position + 1 < line.endIndex,
                line[position + 1] == quote || (line[position + 1] == byte && quote == UInt8(ascii: "\""))
            {
                position += 1
            }
            word.append(line[position])
            position += 1
        }
        throw .unbalancedQuotes
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }
}
