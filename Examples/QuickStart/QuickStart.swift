import Foundation
import JobReactor
import Logging

/// An application that has work done in the background: statistics of the text files in a folder, and of an access log.
///
/// It starts a distributor, enqueues one job a file and prints a report of what the feedbacks brought. The jobs are Lua,
/// see `reactor_jobs`; a node runs them, in a process of its own:
///
///     QuickStart --port 5000 --log Examples/access.log .
///     jobreactor node --name worker_1 --distributor localhost:5000
@main
struct QuickStart {
    static func main() async {
        do {
            try await run(Options(CommandLine.arguments.dropFirst()))
        } catch {
            let problem = error as? Problem
            FileHandle.standardError.write(Data("QuickStart: \(problem?.message ?? "\(error)")\n".utf8))
            exit(problem?.exitCode ?? 1)
        }
    }

    static func run(_ options: Options) async throws {
        let files = try textFiles(in: options.folder)
        var configuration = DistributorConfiguration(host: "localhost", port: options.port)
        // Of each node that comes and goes it would log a line, in the middle of the progress bar.
        configuration.logger.logLevel = .warning
        let distributor = Distributor(configuration)
        do {
            try await distributor.start()
            let port = distributor.port ?? options.port
            if let portFile = options.portFile {
                try "\(port)\n".write(toFile: portFile, atomically: true, encoding: .utf8)
            }
            print("Distributor on localhost:\(port); \(files.count) files in \(options.folder)")
            let report = try await collect(files, options, from: distributor)
            await distributor.stop()
            report.print()
        } catch {
            await distributor.stop()
            throw error
        }
    }

    /// Enqueues all jobs and gathers what comes back.
    static func collect(_ files: [URL], _ options: Options, from distributor: Distributor) async throws -> Report {
        // Feedbacks are called on the distributor's event loop and should be brief. These only hand over the news.
        let (news, sender) = AsyncStream.makeStream(of: News.self)
        func enqueue(_ job: String, _ args: JobArguments) throws {
            try distributor.enqueue(
                job, args,
                onSuccess: { sender.yield(.success($0)) },
                onError: { sender.yield(.failure($0)) })
        }

        // No need to wait for a node: the distributor keeps the jobs and sends them when one connects.
        // Paths are absolute, as the node may have been started in another folder.
        for file in files {
            try enqueue("text_statistics", ["path": .string(file.path), "top": 1000, "shortest": 5])
        }
        if let log = options.log {
            let path = URL(fileURLWithPath: log).path
            try enqueue("access_log", ["path": .string(path), "alert_ratio": 0.01])
        }

        // Nobody reports that no node is there, so look from time to time.
        let clock = Task {
            while !Task.isCancelled {
                try await Task.sleep(for: .seconds(options.patience))
                sender.yield(.timePassed)
            }
        }
        defer { clock.cancel() }

        var report = Report(folder: options.folder)
        var failures: [JobFailure] = []
        var hasHeard = false
        var progress = ProgressBar(total: files.count + (options.log == nil ? 0 : 1))
        progress.show()
        for await item in news {
            switch item {
            case .success(let result):
                try report.add(result)
            case .failure(let failure):
                failures.append(failure)
            case .timePassed:
                // A job that takes long is fine while a node is there.
                let isNodeThere = try await !distributor.nodes().isEmpty
                if !isNodeThere && !hasHeard {
                    progress.end()
                    throw Problem.noNode(seconds: options.patience, port: distributor.port ?? options.port)
                }
                hasHeard = false
                continue
            }
            hasHeard = true
            progress.step()
            if progress.isComplete { break }
        }
        progress.end()
        if let first = failures.first {
            let message = first.message.prefix { !$0.isNewline }
            throw Problem.jobsFailed(failures.count, of: progress.total, first: "\(first.name): \(message)")
        }
        return report
    }

    enum News: Sendable {
        case success(JobResult)
        case failure(JobFailure)
        case timePassed
    }

    /// The text files in the folder and below, in order; hidden ones and symbolic links are left out.
    static func textFiles(in folder: String) throws -> [URL] {
        let kinds: Set = ["swift", "lua", "c", "h", "md", "txt", "sh", "py", "rb"]
        let keys: [URLResourceKey] = [.isRegularFileKey]
        let contents = FileManager.default.enumerator(
            at: URL(fileURLWithPath: folder), includingPropertiesForKeys: keys, options: [.skipsHiddenFiles])
        var files: [URL] = []
        while let file = contents?.nextObject() as? URL {
            if kinds.contains(file.pathExtension), try file.resourceValues(forKeys: Set(keys)).isRegularFile == true {
                files.append(file.standardizedFileURL)
            }
        }
        guard !files.isEmpty else { throw Problem.noFiles(folder: folder) }
        return files.sorted { $0.path < $1.path }
    }
}
