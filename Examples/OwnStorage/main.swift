import Foundation
import JobReactorNode
import JobReactorWire

// A node that keeps its jobs in a storage of one's own: OwnStorage FILE [HOST:PORT]
let words = CommandLine.arguments
guard words.count > 1, let distributor = Address(words.count > 2 ? words[2] : "localhost:5000") else {
    FileHandle.standardError.write(Data("say where to keep the jobs: OwnStorage FILE [HOST:PORT]\n".utf8))
    exit(64)
}
let storage = FileStorage(URL(filePath: words[1]))
try await Node(NodeConfiguration(name: "own", distributors: [distributor], storage: storage)).runAsProgram()
