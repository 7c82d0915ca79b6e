import Foundation
import JobReactor
import JobReactorCore
import JobReactorWire
import Logging
import Testing

@testable import JobReactorCommand

@Suite struct OutputTests {
    @Test func aTableHasColumnsAsWideAsTheirWidestCell() {
        var table = TextTable(["NODE", "LOAD", "JOBS"], numbers: [1])
        table.add(["w1", "7", "resize notify"])
        table.add(["worker_2", "1024", ""])
        #expect(
            table.text == """
                NODE      LOAD  JOBS
                w1           7  resize notify
                worker_2  1024
                """)
    }

    @Test func aNodeWhoseStorageRefusesSaysWhy() {
        var row = ["name": "n1", "address": "a:1", "load": "0", "window": "8", "durable": "1", "draining": "0"]
        #expect(NodesCommand.table(of: [row]).text.contains("ready, durable"))
        row["paused"] = "1"
        #expect(NodesCommand.table(of: [row]).text.contains("paused, durable"))
        row["storage_error"] = "the disk is full: make room"
        #expect(
            NodesCommand.table(of: [row]).text.contains("its storage refuses: the disk is full: make room, durable"))
    }

    @Test func aLogEntryIsALineAndWhatFollowsIsIndented() {
        let handler = TerminalLogHandler(.dated, level: .info)
        let date = Date(timeIntervalSince1970: 1_700_000_000.125)
        #expect(
            handler.line(.info, "node started", ["jobs": "5", "listens": "port 1"], at: date)
                == "2023-11-14T22:13:20.125Z info    node started  jobs=5 listens='port 1'")
        let entry = handler.line(.warning, "it broke\nbadly", ["job": "a", "traceback": "one\ntwo"], at: date)
        #expect(
            entry == """
                2023-11-14T22:13:20.125Z warning it broke  job=a
                    badly
                    traceback: one
                    two
                """)
    }

    @Test func anEntryInJSONIsOneLineAndIsNeverSoLongThatItWouldBeCut() throws {
        let handler = TerminalLogHandler(.json, level: .info)
        let date = Date(timeIntervalSince1970: 1_700_000_000.125)
        #expect(
            handler.line(.info, "node\nstarted", ["jobs": "5"], at: date)
                == #"{"level":"info","message":"node\nstarted","metadata":{"jobs":"5"},"time":"2023-11-14T22:13:20.125Z"}"#
        )
        let ring = LineRing(capacity: Terminal.backgroundBytes) { "\($0)" }
        for character in ["x", "\u{1}", "\u{85}", "\"", "ü"] {
            let long = String(repeating: character, count: 1_000_000)
            let line = handler.line(.error, long, ["text": "\(long)", "job": "a"], at: date)
            #expect(line.utf8.count < ring.capacity / 4)
            let entry = try JSONValue(parsing: line.utf8).object
            #expect(entry?["message"]?.string?.contains("(cut: the text has ") == true)
        }
    }

    @Test func aScriptAtWorkIsShownAsItPrints() {
        let handler = TerminalLogHandler(.plain, level: .info)
        #expect(handler.line(.info, "one\ntwo", ["job": "a"], at: Date()) == "one\ntwo")
        #expect(handler.line(.warning, "careful", [:], at: Date()) == "warning: careful")
    }

    @Test func controlCharactersDoNotReachTheTerminal() {
        #expect(Terminal.printable("a\u{1B}[31mb\tc\r") == "a\\x1b[31mb\tc\\xd")
        #expect(Terminal.printable("Grüße\n") == "Grüße\n")
    }

    @Test func anErrorReplyBecomesAMessageForPeople() {
        let address = Address(host: "localhost", port: 5000)
        #expect(
            CommandFailure.refusal("NOAUTH Authentication required.", by: address)
                == .failure("localhost:5000 needs a password: set JOBREACTOR_PASSWORD or give --password-file"))
        #expect(CommandFailure.refusal("ERR no such thing", by: address) == .failure("localhost:5000: no such thing"))
        #expect(
            CommandFailure.unconnected(to: address, WireError(.connect, "localhost:5000 refuses: WRONGPASS invalid"))
                == .failure("localhost:5000 refuses the password: check JOBREACTOR_PASSWORD or --password-file"))
        #expect(
            CommandFailure.unconnected(to: address, WireError(.connect, "gone")) == .failure("localhost:5000: gone"))
    }

    @Test func progressIsOneLine() {
        func line(_ fraction: Double?, _ text: String) -> String {
            ProgressLine.line(JobProgress(id: JobID(high: 0, low: 1), name: "n", fraction: fraction, text: text))
        }
        #expect(line(0, "") == "[..............................]   0 %")
        #expect(line(0.5, "half\nway") == "[###############...............]  50 % half way")
        #expect(line(1, "") == "[##############################] 100 %")
        #expect(line(nil, "soon") == "soon")
    }

    @Test func errorsOfTheLibrariesHaveTheirExitCodes() {
        #expect(CommandFailure(WireError(.configuration, "no")).code == .usage)
        #expect(CommandFailure(WireError(.listen, "no")).code == .failure)
        #expect(CommandFailure(JobError(.invalidName, "no")).code == .usage)
        #expect(CommandFailure(JobError(.timedOut, "no")).code == .failure)
    }

    @Test func whatTakesTooLongIsLeftAlone() async throws {
        let late = CommandFailure.failure("late")
        #expect(try await withDeadline(60, else: late) { 7 } == 7)
        await #expect(throws: late) {
            try await withDeadline(0.01, else: late) { try await Task.sleep(for: .seconds(60)) }
        }
    }
}
