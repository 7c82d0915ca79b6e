import JobReactor
import JobReactorTesting
import JobReactorWire
import Testing

@Suite("The pages of the fields and options of a job") struct RecordTableTests {
    private static func row(_ field: JobField) -> String {
        let isUnseen = field.places.isDisjoint(with: [.scripts]) && !field.places.isSubset(of: [.storages, .records])
        return "| `\(field.name)`\(isUnseen ? " *" : "") | \(field.type.title) | \(field.meaning) |\n"
    }

    @Test("the page of the record has every field, and no other") func record() throws {
        let page = try DocumentationPage.named("JobRecord")
        for field in JobFieldTable.all {
            #expect(page.text.contains(Self.row(field)), "JobRecord.md lacks the row: \(Self.row(field))")
        }
        let names = page.rows.compactMap { $0[0].split(separator: "`").first.map(String.init) }
        #expect(Set(names) == Set(JobFieldTable.all.map(\.name)))
        #expect(names.count == JobFieldTable.all.count)
    }

    @Test("the page of the commands has every field of RECORD, and every option") func commands() throws {
        let page = try DocumentationPage.named("ClientCommands").text
        let start = try #require(page.firstRange(of: "A record is an array"))
        let record = page[start.upperBound...].prefix(1000)
        for field in JobFieldTable.all where !field.places.isDisjoint(with: [.records, .answers]) {
            #expect(record.contains("`\(field.name)`"), "ClientCommands.md: RECORD lacks \(field.name)")
        }
        for option in JobOptionTable.ofCommands {
            #expect(page.contains("[\(option.usage)]"), "ClientCommands.md: ENQUEUE lacks [\(option.usage)]")
        }
    }

    @Test("the page of the limits has every option that has one") func limits() throws {
        let names = try DocumentationPage.named("Limits").rows.map { $0[0] }.joined(separator: "\n")
        for option in JobOptionTable.ofScripts {
            switch option.type {
            case .seconds, .secondsAboveZero, .whole, .time:
                #expect(names.contains("`\(option.name)`"), "Limits.md lacks \(option.name)")
            default: continue
            }
        }
    }

    @Test("an application sees every field that JOB shows") func info() throws {
        var job = FieldSample.full
        job.doing = "paused"
        let fields = job.shownFields + ["on_node", "n1", "waits_for", "its turn"]
        let whole = try #require(JobInfo(fields: fields))
        let feedbacks = ["on_success", "on_error"]
        for index in stride(from: 0, to: fields.count, by: 2) where !feedbacks.contains(fields[index]) {
            var rest = fields
            rest.removeSubrange(index...index + 1)
            #expect(JobInfo(fields: rest) != whole, "JobInfo lacks \(fields[index])")
        }
        let shown = JobFieldTable.all.filter { !$0.places.isDisjoint(with: [.shown, .answers]) }.map(\.name)
        #expect(Set(shown) == Set(stride(from: 0, to: fields.count, by: 2).map { fields[$0] }))
        #expect(whole.tick == job.tick && whole.trace == job.trace && whole.uniqueUntil == job.unique?.heldUntil)
    }
}
