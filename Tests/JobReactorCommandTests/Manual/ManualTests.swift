import JobReactorCore
import Testing

@testable import JobReactorCommand

@Suite("The manual pages") struct ManualTests {
    private static let release = ManualPage.Release(version: "1.2", date: "2026-11-28")

    @Test("have a page for each command and each page of the documentation")
    func all() throws {
        let pages = try DocsCommand.manual()
        let paths = Set(pages.map(\.path))
        #expect(paths.count == pages.count)
        for path in ["man1/jobreactor.1", "man1/jobreactor-node.1", "man1/jobreactor-jobs-list.1"] {
            #expect(paths.contains(path))
        }
        let program = try #require(pages.first)
        for page in DocsPage.all {
            #expect(paths.contains("man7/jobreactor-\(page.name).7"))
            #expect(program.text.contains("\\fBjobreactor\\-\(page.name.replacing("-", with: "\\-"))\\fR(7)"))
        }
        for page in pages {
            #expect(page.text.hasPrefix(".TH \"JOBREACTOR"))
            #expect(page.text.contains("\n.SH \"NAME\"\njobreactor"))
            for leftover in ["](doc:", "<doc:", "<!\\-\\-", "|\\-\\-\\-"] {
                #expect(!page.text.contains(leftover), "\(page.path) has \(leftover)")
            }
        }
    }

    @Test("have the headings, lists, examples and tables of a page")
    func page() {
        let markdown = """
            # A `page`

            See [the guide](doc:LuaGuide#Args) and ``/JobReactorCore/Job``.

            ## Second part

            - a *first*
              entry

            <!-- run -->
            ```sh
            .it 'a'
            ```

            | key | default | meaning |
            |---|---|---|
            | `a-b` | 1 | this \\| that |
            """
        let text = #"""
            .TH "JOBREACTOR\-TEST" 7 "2026-11-28" "jobreactor 1.2" "JobReactor"
            .nh
            .ad l
            .SH "NAME"
            jobreactor\-test \- A page
            .SH "DESCRIPTION"
            .PP
            See the guide (\fBjobreactor\-lua\-guide\fR(7)) and \fBJob\fR.
            .SH "SECOND PART"
            .IP \(bu 2
            a \fIfirst\fR entry
            .PP
            .RS 4
            .nf
            \&.it \(aqa\(aq
            .fi
            .RE
            .TP
            \fBa\-b\fR
            default: 1
            .br
            meaning: this | that
            .SH "SEE ALSO"
            \fBjobreactor\fR(1), \fBjobreactor\-docs\fR(1)

            """#
        let page = PageManual.page(DocsPage(name: "test", markdown: markdown), Self.release)
        #expect(page.text == text)
        #expect(page.path == "man7/jobreactor-test.7")
    }

    @Test("have what the help says of a command")
    func command() throws {
        let help = try JSONValue(
            parsing: #"""
                {"command": {"commandName": "tool", "abstract": "Do it.", "discussion": "One.\n\n  two", "shouldDisplay": true,
                  "arguments": [
                    {"kind": "positional", "valueName": "file", "abstract": "What.", "isRepeating": true, "isOptional": true},
                    {"kind": "flag", "names": [{"kind": "long", "name": "on"}], "abstract": "Or not."},
                    {"kind": "flag", "names": [{"kind": "long", "name": "off"}], "abstract": "Or not."},
                    {"kind": "option", "names": [{"kind": "short", "name": "n"}], "valueName": "n", "abstract": "Many."},
                    {"kind": "flag", "names": [], "abstract": "Hidden.", "shouldDisplay": false}],
                  "subcommands": [{"commandName": "sub", "abstract": "Less.", "shouldDisplay": true}]}}
                """#.utf8)
        let pages = CommandManual.pages(help: help, Self.release)
        #expect(pages.map(\.path) == ["man1/tool.1", "man1/tool-sub.1"])
        let text = #"""
            tool \- Do it
            .SH "SYNOPSIS"
            \fBtool\fR [\fIfile\fR...] \fIcommand\fR [\fIoptions\fR]
            .SH "DESCRIPTION"
            Do it.
            .PP
            One.
            .PP
            .nf
              two
            .fi
            .SH "ARGUMENTS"
            .TP
            \fIfile\fR...
            What.
            .SH "COMMANDS"
            .TP
            \fBtool\-sub\fR(1)
            Less.
            .SH "OPTIONS"
            .TP
            \fB\-\-on\fR, \fB\-\-off\fR
            Or not.
            .TP
            \fB\-n\fR \fIn\fR
            Many.
            .SH "FILES"

            """#
        #expect(pages.first?.text.contains(text) == true)
        #expect(pages.last?.text.hasSuffix(".SH \"SEE ALSO\"\n\\fBtool\\fR(1)\n") == true)
    }
}
