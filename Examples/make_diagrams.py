#!/usr/bin/env python3
"""Draws the diagrams of the documentation as SVG, each for light and for dark pages.

    python3 Examples/make_diagrams.py [FOLDER]

FOLDER, by default Sources/JobReactor/JobReactor.docc/Images, gets NAME.svg and NAME~dark.svg, the names that DocC looks for.
"""

import os
import sys
from xml.sax.saxutils import escape

LIGHT = {"paper": "none", "ink": "#1f2328", "soft": "#59636e", "line": "#59636e", "box": "#f6f8fa", "inner": "#ffffff",
         "edge": "#8c959f", "accent": "#0969da", "good": "#1a7f37", "bad": "#cf222e"}
DARK = {"paper": "none", "ink": "#f0f6fc", "soft": "#9198a1", "line": "#9198a1", "box": "#151b23", "inner": "#212830",
        "edge": "#656c76", "accent": "#4493f8", "good": "#3fb950", "bad": "#f85149"}
FONT = "font-family=\"-apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif\""
MONO = "font-family=\"ui-monospace, 'DejaVu Sans Mono', monospace\""


class Drawing:
    """An SVG that grows element by element."""

    def __init__(self, width, height, title, theme):
        self.size = (width, height)
        self.title = title
        self.theme = theme
        self.elements = []

    def box(self, x, y, width, height, fill="box", edge="edge", dashes=""):
        dash = f' stroke-dasharray="{dashes}"' if dashes else ""
        self.elements.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="{self.theme[fill]}"'
            f' stroke="{self.theme[edge]}"{dash}/>')

    def text(self, x, y, words, size=13, colour="ink", weight="normal", anchor="middle", mono=False):
        self.elements.append(
            f'<text x="{x}" y="{y}" {MONO if mono else FONT} font-size="{size}" font-weight="{weight}"'
            f' text-anchor="{anchor}" fill="{self.theme[colour]}">{escape(words)}</text>')

    def arrow(self, path, colour="line", label=None, at=None, anchor="middle", dashes=""):
        """`path` is SVG path data that ends where the head is."""
        dash = f' stroke-dasharray="{dashes}"' if dashes else ""
        self.elements.append(
            f'<path d="{path}" fill="none" stroke="{self.theme[colour]}" stroke-width="1.5"{dash}'
            f' marker-end="url(#{colour})"/>')
        for number, words in enumerate((label or "").split("\n") if label else []):
            self.text(at[0], at[1] + 15 * number, words, size=12, colour="soft", anchor=anchor)

    def svg(self):
        width, height = self.size
        heads = "".join(
            f'<marker id="{name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7"'
            f' orient="auto-start-reverse"><path d="M0 0 10 5 0 10z" fill="{self.theme[name]}"/></marker>'
            for name in ("line", "accent", "good", "bad"))
        body = "\n".join(self.elements)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
            f' role="img">\n<title>{escape(self.title)}</title>\n<defs>{heads}</defs>\n{body}\n</svg>\n')


def architecture(theme):
    """The processes of an installation, and what passes between them."""
    drawing = Drawing(860, 400, "Producers give jobs to a distributor; nodes run them in Lua and report the outcomes", theme)
    drawing.box(20, 20, 300, 196)
    drawing.text(170, 44, "Your application (Swift)", weight="bold")
    drawing.text(170, 66, 'enqueue("resize", ["path": "cat.png"])', size=11, mono=True)
    drawing.box(60, 116, 220, 84, fill="inner", edge="accent")
    drawing.text(170, 140, "Distributor", weight="bold")
    drawing.text(170, 160, "accepts jobs, chooses a node,", size=12, colour="soft")
    drawing.text(170, 177, "returns outcomes as feedbacks", size=12, colour="soft")
    drawing.arrow("M120 74V112", colour="accent")
    drawing.text(110, 97, "job", size=12, colour="soft", anchor="end")
    drawing.arrow("M220 112V76", colour="good")
    drawing.text(230, 97, "feedback", size=12, colour="soft", anchor="start")

    for top, name, detail in ((262, "Other applications", "JobClient"), (320, "Any Redis client", "ENQUEUE, PERFORM")):
        drawing.box(20, top, 190, 46)
        drawing.text(115, top + 19, name, size=12, weight="bold")
        drawing.text(115, top + 36, detail, size=11, colour="soft", mono=True)
    drawing.arrow("M210 285H228V204", colour="accent")
    drawing.arrow("M210 343H252V204", colour="accent")

    for top, name, storage in ((20, "Node worker_1", "memory"), (146, "Node worker_2", "SQLite file"),
                               (272, "Node worker_3", "Redis server")):
        drawing.box(520, top, 320, 110)
        drawing.text(536, top + 24, name, weight="bold", anchor="start")
        drawing.box(536, top + 36, 172, 60, fill="inner")
        drawing.text(622, top + 59, "Lua 5.4 runs", size=12, colour="soft")
        drawing.text(622, top + 78, "reactor_jobs/*.lua", size=12, mono=True)
        drawing.box(724, top + 36, 100, 60, fill="inner", dashes="4 3")
        drawing.text(774, top + 59, "storage", size=12, colour="soft")
        drawing.text(774, top + 78, storage, size=12)
    drawing.arrow("M280 134C380 134 420 66 516 66", colour="accent")
    drawing.arrow("M280 158H350C420 158 450 192 516 192", colour="accent")
    drawing.arrow("M280 182C380 182 400 318 516 318", colour="accent")
    drawing.arrow("M520 92C440 92 380 146 284 146", colour="good")
    drawing.arrow("M520 218C440 218 380 170 284 170", colour="good")
    drawing.arrow("M520 344C380 344 360 194 284 194", colour="good")
    drawing.text(420, 36, "jobs", size=12, colour="accent", weight="bold")
    drawing.text(420, 53, "Redis protocol, TCP or TLS", size=11, colour="soft")
    drawing.text(430, 372, "outcomes", size=12, colour="good", weight="bold")
    return drawing


def lifecycle(theme):
    """The statuses of a job, and what moves it from one to the next."""
    drawing = Drawing(860, 420, "The lifecycle of a job", theme)

    def state(x, y, name, detail, edge="edge"):
        drawing.box(x, y, 150, 56, fill="inner", edge=edge)
        drawing.text(x + 75, y + 24, name, weight="bold", mono=True)
        drawing.text(x + 75, y + 43, detail, size=11, colour="soft")

    state(20, 160, "new", "at the distributor")
    state(250, 160, "queued", "at a node, waits")
    state(490, 160, "in progress", "its steps run")
    state(690, 40, "complete", "success feedback", edge="good")
    state(490, 300, "error", "its errbacks run")
    state(690, 300, "failed", "error feedback", edge="bad")
    state(250, 40, "cancelled", "feedback", edge="accent")
    drawing.arrow("M170 188H246", label="a node\nstores it", at=(208, 160))
    drawing.arrow("M400 180H486", label="due, and\nits turn", at=(443, 152))
    drawing.arrow("M565 160V68H686", colour="good", label="all steps ended well", at=(622, 60))
    drawing.arrow("M490 202C460 236 430 236 404 206", label="good run of\na periodic job", at=(443, 252))
    drawing.arrow("M565 216V296", colour="bad", label="a step raised", at=(572, 262), anchor="start")
    drawing.arrow("M640 328H686", colour="bad", label="last attempt", at=(663, 290))
    drawing.arrow("M490 336H325V220", label="attempts are left:\nit waits for the next", at=(405, 354))
    drawing.arrow("M325 160V100", colour="accent", label="cancelled while it waits", at=(318, 134), anchor="end")
    drawing.arrow("M520 160V68H404", colour="accent", label="cancelled\nwhile it runs", at=(462, 84))
    drawing.text(20, 396, "A job that no script defines is parked: it keeps its status, new or queued, until a script defines it.",
                 size=12, colour="soft", anchor="start")
    return drawing


def main(arguments):
    folder = arguments[0] if arguments else os.path.join(
        os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "Sources/JobReactor/JobReactor.docc/Images")
    for name, draw in (("architecture", architecture), ("job-lifecycle", lifecycle)):
        for suffix, theme in (("", LIGHT), ("~dark", DARK)):
            with open(os.path.join(folder, f"{name}{suffix}.svg"), "w", encoding="utf-8") as file:
                file.write(draw(theme).svg())


if __name__ == "__main__":
    main(sys.argv[1:])
