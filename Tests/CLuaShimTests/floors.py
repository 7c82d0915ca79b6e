#!/usr/bin/env python3
"""Checks that the sources of CLuaShim stand on floors.

Its folders are the floors: FLOORS, from the ground up. A unit is a header with the source of the same name, or either
alone. A unit depends on another when it includes the other's header, or when its source uses a function or a variable
that the other's source defines. Units depend on units of their own floor and of those below, and never in a circle.

Prints what is wrong and exits with 1, or prints the number of units.
"""
import pathlib
import re
import sys

FLOORS = ["base", "json", "runtime", "scripts", "library"]
SHIM = pathlib.Path(__file__).resolve().parents[2] / "Sources" / "CLuaShim"

INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)
COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.DOTALL)
NAME = r"\b(jri?_\w+)"
# At the beginning of a line, and with external linkage.
START = r"^(?!static\b|typedef\b|extern\b)[A-Za-z_][\w \t*]*?"
DEFINITION = re.compile(START + NAME + r"(?:\([^;{}]*\)\s*\{|(?:\[\w*\])? =)", re.MULTILINE)


def unit_of(path):
    return path.relative_to(SHIM).with_suffix("").as_posix()


def floor_of(unit):
    return FLOORS.index(unit.split("/")[0])


def read_units():
    """Returns what each unit depends on, as {unit: {other: why}}, and what is wrong with the files themselves."""
    paths = sorted(path for path in SHIM.rglob("*.[ch]") if path.parent.name != "include")
    problems = [f"{path.relative_to(SHIM)}: lies on no floor" for path in paths
                if path.relative_to(SHIM).parts[:-1] not in [(floor,) for floor in FLOORS]]
    texts = {path: path.read_text(encoding="utf-8") for path in paths}
    codes = {path: COMMENT_OR_STRING.sub(" ", text) for path, text in texts.items()}
    homes = {}
    for path, text in codes.items():
        if path.suffix == ".c":
            homes.update((name, unit_of(path)) for name in DEFINITION.findall(text))
    units = {unit_of(path): {} for path in paths}
    for path in paths:
        needed = units[unit_of(path)]
        for name in INCLUDE.findall(texts[path]):
            other = unit_of(SHIM / name)
            if other in units:
                needed.setdefault(other, f"{path.relative_to(SHIM)} includes {name}")
            elif not (SHIM / "include" / name).exists():
                problems.append(f"{path.relative_to(SHIM)}: includes {name}: write its floor before its name")
        if path.suffix == ".c":
            for name in set(re.findall(NAME, codes[path])) & homes.keys():
                needed.setdefault(homes[name], f"{path.relative_to(SHIM)} uses {name}")
        needed.pop(unit_of(path), None)
    return units, problems


def find_circle(units):
    """Returns the units of a circle, in order; None when there is none."""
    done, way = set(), []

    def visit(unit):
        if unit in way:
            return way[way.index(unit):]
        if unit in done:
            return None
        way.append(unit)
        for other in sorted(units[unit]):
            circle = visit(other)
            if circle:
                return circle
        way.pop()
        done.add(unit)
        return None

    for unit in sorted(units):
        circle = visit(unit)
        if circle:
            return circle
    return None


def main():
    units, problems = read_units()
    if not problems:
        problems = [f"upwards: {why}" for unit in units for other, why in units[unit].items()
                    if floor_of(other) > floor_of(unit)]
        circle = find_circle(units)
        if circle:
            steps = [units[unit][other] for unit, other in zip(circle, circle[1:] + circle[:1])]
            problems.append("a circle: " + "; ".join(steps))
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        sys.exit(1)
    print(f"{len(units)} units of CLuaShim on {len(FLOORS)} floors, without a circle")


main()
