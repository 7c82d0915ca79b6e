/// The command line.
struct Options {
    static let usage = "usage: QuickStart [--port N] [--port-file FILE] [--log ACCESS-LOG] [--patience SECONDS] FOLDER"

    /// Port of the distributor; 0 takes any that is free.
    var port = 5000
    /// The file that gets the port, for a script that starts the node.
    var portFile: String?
    /// An access log to analyse as well.
    var log: String?
    /// Seconds to wait for a node.
    var patience = 30
    /// Where the text files are.
    var folder = ""

    init(_ arguments: some Sequence<String>) throws {
        var arguments = arguments.makeIterator()
        while let argument = arguments.next() {
            func value() throws -> String {
                guard let value = arguments.next() else { throw Problem.usage("\(argument) needs a value") }
                return value
            }
            func number(upTo limit: Int) throws -> Int {
                let text = try value()
                guard let number = Int(text), (0...limit).contains(number) else {
                    throw Problem.usage("\(argument) takes a number from 0 to \(limit), not \(text)")
                }
                return number
            }
            switch argument {
            case "--port": port = try number(upTo: 65535)
            case "--port-file": portFile = try value()
            case "--log": log = try value()
            case "--patience": patience = try max(1, number(upTo: 86400))
            case _ where folder.isEmpty && !argument.hasPrefix("-"): folder = argument
            default: throw Problem.usage("unexpected \(argument)")
            }
        }
        if folder.isEmpty { throw Problem.usage("FOLDER is missing") }
    }
}

/// Why the program ends early, in one line that says what to do.
enum Problem: Error {
    case usage(String)
    case noFiles(folder: String)
    case noNode(seconds: Int, port: Int)
    case jobsFailed(Int, of: Int, first: String)

    var message: String {
        switch self {
        case .usage(let what):
            "\(what); \(Options.usage)"
        case .noFiles(let folder):
            "no text files in \(folder); name a folder with sources or texts"
        case .noNode(let seconds, let port):
            "no node in \(seconds) s; start one: jobreactor node --name worker_1 --distributor localhost:\(port)"
        case .jobsFailed(let count, let total, let first):
            "\(count) of \(total) jobs failed; the first: \(first)"
        }
    }

    /// 64 for a wrong command line, as sysexits.h has it.
    var exitCode: Int32 {
        if case .usage = self { 64 } else { 1 }
    }
}
