#!/usr/bin/env python3
"""Writes the tables of settings of the documentation, between the marker comments of their page, from the help of the program.

    jobreactor --experimental-dump-help | python3 Examples/make_settings.py [PAGE]

PAGE is by default Sources/JobReactor/JobReactor.docc/Operations/Settings.md.
"""

import json
import os
import re
import sys

BEGIN = "<!-- settings: made by Examples/make_settings.py -->\n"
END = "<!-- end of the settings -->\n"
PAGE = "Sources/JobReactor/JobReactor.docc/Operations/Settings.md"

# Each group has the settings that all of these commands take and that no group before it has.
GROUPS = [
    ("Every command", {"node", "distributor", "enqueue", "check"}),
    ("Nodes, distributors, and the commands that connect to them", {"node", "distributor", "enqueue"}),
    ("Nodes and distributors", {"node", "distributor"}),
    ("Nodes", {"node"}),
    ("Distributors", {"distributor"}),
]
# As the help of an argument ends that is a setting: (default: 10; JOBREACTOR_MAX_ATTEMPT)
HELP = re.compile(r"(?P<words>.*)\. \((?:default: (?P<default>.*); )?JOBREACTOR_(?P<key>[A-Z_]+)\)", re.DOTALL)


def arguments(command, name=None):
    """Every argument of a command and of those below it, with the name of the command below the program."""
    for argument in command.get("arguments", []):
        yield name, argument
    for below in command.get("subcommands", []):
        yield from arguments(below, name or below["commandName"])


def flag(argument):
    name = argument["preferredName"]["name"]
    # What switches it off is an argument of its own, behind this one.
    return f"--{name}, --no-{name}" if argument["kind"] == "flag" else f"--{name} <{argument['valueName']}>"


def settings(help_of_program):
    """Of each setting its key: what the table says, and the commands that take it."""
    found = {}
    for command, argument in arguments(help_of_program["command"]):
        match = HELP.fullmatch(argument.get("abstract") or "")
        if not match:
            continue
        key = match["key"].lower()
        row = (f"`{key}`", f"`{flag(argument)}`", match["default"] or "none", match["words"] + ".")
        found.setdefault(key, (row, set()))[1].add(command)
    return found


def tables(help_of_program):
    left = settings(help_of_program)
    lines = []
    for title, commands in GROUPS:
        keys = [key for key, (_, taking) in left.items() if commands <= taking]
        lines += ["", f"## {title}", "", "| key | flag | default | meaning |", "|---|---|---|---|"]
        lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in left.pop(key)[0]) + " |" for key in keys]
    if left:
        sys.exit(f"no group of settings has {', '.join(left)}")
    return "\n".join(lines) + "\n\n"


def main(words):
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    path = words[0] if words else os.path.join(root, PAGE)
    with open(path, encoding="utf-8") as file:
        before, rest = file.read().split(BEGIN)
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + BEGIN + tables(json.load(sys.stdin)) + END + rest.split(END)[1])


if __name__ == "__main__":
    main(sys.argv[1:])
