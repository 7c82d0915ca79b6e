"""Makes the manual pages of jobreactor, of what the program says of itself.

    python3 Examples/Deployment/make_man_pages.py PROGRAM FOLDER

A page for each command: jobreactor.1, jobreactor-node.1, jobreactor-jobs-list.1 and so on. SOURCE_DATE_EPOCH is their date,
where it is set.
"""

import json
import os
import subprocess
import sys
import time

FILES = [
    ("/etc/jobreactor/node.json, /etc/jobreactor/distributor.json",
     "The settings of the services jobreactor-node@NAME and jobreactor-distributor@NAME."),
    ("/etc/jobreactor/node-NAME.env, /etc/jobreactor/distributor-NAME.env",
     "Variables for one of them, JOBREACTOR_…=…, which win over those files."),
    ("/etc/jobreactor/reactor_jobs", "The scripts of the jobs."),
    ("/var/lib/jobreactor", "A folder for each service, where its storage is."),
]


def escaped(text):
    """The text as roff shows it as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in ".'" else line for line in text.split("\n"))


def paragraphs(text):
    """Of a text with empty lines between them; lines that are indented stay lines."""
    lines = []
    for number, paragraph in enumerate(text.strip("\n").split("\n\n")):
        if number:
            lines.append(".PP")
        if any(line.startswith("  ") for line in paragraph.split("\n")):
            lines += [".nf", escaped(paragraph), ".fi"]
        else:
            lines.append(escaped(paragraph))
    return lines


def spelling(argument):
    """An argument as it is typed: bold words, italic values."""
    if argument["kind"] == "positional":
        dots = "..." if argument["isRepeating"] else ""
        return "\\fI%s\\fR%s" % (escaped(argument["valueName"]), dots)
    names = ["\\fB%s\\fR" % escaped(("--" if name["kind"] == "long" else "-") + name["name"])
             for name in argument["names"]]
    text = ", ".join(names)
    return text + (" \\fI%s\\fR" % escaped(argument["valueName"]) if argument["kind"] == "option" else "")


def entries(arguments):
    """(spelling, help) of each; a flag and the one that takes it back stand together."""
    found = []
    for argument in arguments:
        if not argument["shouldDisplay"]:
            continue
        entry = (spelling(argument), argument.get("abstract", ""))
        if found and argument["kind"] == "flag" and found[-1][1] == entry[1]:
            found[-1] = (found[-1][0] + ", " + entry[0], entry[1])
        else:
            found.append(entry)
    return found


def synopsis(command, words):
    shown = [a for a in command["arguments"] if a["shouldDisplay"]]
    parts = ["\\fB%s\\fR" % escaped(" ".join(words))]
    for argument in shown:
        if argument["kind"] == "positional":
            text = spelling(argument)
            parts.append("[%s]" % text if argument["isOptional"] else text)
    if children(command):
        parts.append("\\fIcommand\\fR")
    return " ".join(parts + ["[\\fIoptions\\fR]"])


def children(command):
    return [c for c in command.get("subcommands", []) if c["shouldDisplay"] and c["commandName"] != "help"]


def tagged(entries):
    lines = []
    for tag, text in entries:
        lines += [".TP", tag] + (escaped(text).split("\n") or [""])
    return lines


def page(command, words, version, date):
    name = "-".join(words)
    lines = [
        '.TH "%s" 1 "%s" "jobreactor %s" "JobReactor"' % (escaped(name.upper()), date, escaped(version)),
        ".nh", ".ad l",
        ".SH NAME", "%s \\- %s" % (escaped(name), escaped(command["abstract"].rstrip("."))),
        ".SH SYNOPSIS", synopsis(command, words),
        ".SH DESCRIPTION", escaped(command["abstract"]),
    ]
    if command.get("discussion"):
        lines += [".PP"] + paragraphs(command["discussion"])
    positional = [a for a in command["arguments"] if a["kind"] == "positional"]
    others = [a for a in command["arguments"] if a["kind"] != "positional"]
    if any(a["shouldDisplay"] for a in positional):
        lines += [".SH ARGUMENTS"] + tagged(entries(positional))
    if children(command):
        lines += [".SH COMMANDS"] + tagged(
            ("\\fB%s\\fR(1)" % escaped("-".join(words + [c["commandName"]])), c["abstract"])
            for c in children(command))
    lines += [".SH OPTIONS"] + tagged(entries(others))
    if len(words) == 1:
        lines += [".SH FILES", "Of the Debian package:"] + tagged(
            ("\\fI%s\\fR" % escaped(path), text) for path, text in FILES)
    else:
        parents = ["-".join(words[:count]) for count in range(1, len(words))]
        lines += [".SH SEE ALSO", ", ".join("\\fB%s\\fR(1)" % escaped(parent) for parent in parents)]
    return "\n".join(lines) + "\n"


def write(command, words, version, date, folder):
    with open(os.path.join(folder, "-".join(words) + ".1"), "w", encoding="utf-8") as file:
        file.write(page(command, words, version, date))
    for child in children(command):
        write(child, words + [child["commandName"]], version, date, folder)


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: make_man_pages.py PROGRAM FOLDER")
    program, folder = sys.argv[1:]

    def output(*words):
        return subprocess.run([program, *words], check=True, stdout=subprocess.PIPE).stdout.decode("utf-8")

    command = json.loads(output("--experimental-dump-help"))["command"]
    date = time.strftime("%Y-%m-%d", time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time()))))
    os.makedirs(folder, exist_ok=True)
    write(command, [command["commandName"]], output("--version").strip(), date, folder)


main()
