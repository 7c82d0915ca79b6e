"""Makes a table and plots of benchmark results.

    python3 Examples/make_benchmark_plots.py FOLDER [--page FILE]

FOLDER has results.json, as `jobreactor bench all --json` prints it, and gets table.md and, drawn by gnuplot, plots as SVG.
With --page the plots go beside that page instead, and the table also replaces the one between its two marker comments.
"""

import json
import os
import subprocess
import sys

BEGIN = "<!-- benchmark: made by Examples/benchmark.sh -->\n"
END = "<!-- end of the benchmark -->\n"

# What the table says, in its order: scenario, figure, and what it is in words.
ROWS = [
    ("e2e", "e2e_memory", "jobs end to end, memory"),
    ("e2e", "e2e_sqlite", "jobs end to end, SQLite"),
    ("e2e", "e2e_redis", "jobs end to end, Redis"),
    ("enqueue", "enqueue_memory", "`ENQUEUE`, memory"),
    ("enqueue", "enqueue_sqlite", "`ENQUEUE`, SQLite"),
    ("enqueue", "enqueue_redis", "`ENQUEUE`, Redis"),
    ("enqueue", "enqueue_client_memory", "`JobClient`, memory"),
    ("latency", "latency_p50", "one job at a time, p50"),
    ("latency", "latency_p99", "one job at a time, p99"),
    ("latency", "latency_p999", "one job at a time, p99.9"),
    ("latency", "latency_perform_p50", "`try await perform`, p50"),
    ("latency", "latency_half_peak_p50", "at half the peak, p50"),
    ("latency", "latency_half_peak_p99", "at half the peak, p99"),
    ("lua", "lua_run", "one run in Lua, args in and out"),
    ("delayed", "node_memory_per_waiting_job", "a waiting job on its node"),
    ("delayed", "lateness_p99", "10,000 jobs due in one second begin late, p99"),
    ("delayed", "rate_beside_waiting", "jobs beside 1,000,000 waiting ones"),
    ("parked", "rate_beside_parked", "jobs beside 1,000,000 parked ones"),
    ("reload", "reload_rate", "jobs while scripts change 10 times a second"),
    ("reload", "reload_latency_p99", "their time, p99"),
    ("nodes", "nodes_1", "a distributor with 1 node"),
    ("nodes", "nodes_10", "with 10 nodes"),
    ("nodes", "nodes_1000", "with 1,000 nodes"),
    ("payload", "payload_1000", "jobs end to end, args of 1 kB"),
    ("payload", "payload_1000000", "jobs end to end, args of 1 MB"),
    ("idle", "idle_node_memory", "memory of a node at its start"),
    ("idle", "idle_node_wakeups", "an idle node wakes"),
]


def rounded(value):
    """Three digits that count, none lost before the point."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def table(results):
    lines = ["| what | figure | limit of the same run | ratio |", "|---|---|---|---|"]
    for scenario, name, words in ROWS:
        figure = results["scenarios"].get(scenario, {}).get(name)
        if figure is None:
            continue
        limit = figure.get("limit")
        beside = f"{rounded(limit['value'])} ({limit['of']})" if limit else ""
        ratio = rounded(limit["ratio"]) if limit else ""
        unit = figure["unit"].replace("us", "µs")
        lines.append(f"| {words} | {rounded(figure['value'])} {unit} | {beside} | {ratio} |")
    machine = results["machine"]
    lines.append("")
    lines.append(f"Measured on {machine['cores']} cores of {machine['processor']}, all processes on them.")
    return "\n".join(lines) + "\n"


def draw(folder, name, title, commands, data):
    """Has gnuplot draw; each of `data` is a block of lines that the commands plot."""
    blocks = "".join(
        f"${key} << END_OF_DATA\n" + "".join(f"{line}\n" for line in lines) + "END_OF_DATA\n" for key, lines in data.items()
    )
    # The date and the place of the drawing are left out, so that the same results make the same file.
    script = f"""{blocks}
set terminal svg size 760,400 font 'sans-serif,13' background rgb 'white' name '{name}'
set output '{os.path.join(folder, name)}.svg'
set title '{title}'
set grid ytics lc rgb '#dddddd'
set border 3
set tics nomirror
set key outside top center horizontal
set format y '%.0s %c'
set style line 1 lc rgb '#2266aa' lw 2 pt 7
set style line 2 lc rgb '#bbbbbb' lw 2 pt 7
{commands}
"""
    subprocess.run(["gnuplot"], input=script.encode(), check=True)


def bars(folder, name, title, unit, rows, logarithmic=True):
    """Figures, each beside its limit."""
    lines = [f'"{words}" {figure["value"]} {figure.get("limit", {}).get("value", "NaN")}' for words, figure in rows]
    scale = "set logscale y\nset yrange [*:*]" if logarithmic else "set yrange [0:*]"
    commands = f"""{scale}
set ylabel '{unit}'
set bmargin 4
set style data histogram
set style histogram clustered gap 1
set style fill solid border -1
plot $data using 2:xtic(1) title 'JobReactor' ls 1, '' using 3 title 'limit of the same run' ls 2"""
    draw(folder, name, title, commands, {"data": lines})


def lines_over(folder, name, title, unit, over, rows):
    """Figures over a number, beside their limits."""
    data = [f'{number} {figure["value"]} {figure["limit"]["value"]}' for number, figure in rows]
    commands = f"""set logscale xy
set xlabel '{over}'
set ylabel '{unit}'
set format x '%.0s %c'
plot $data using 1:2 with linespoints ls 1 title 'JobReactor', \\
     '' using 1:3 with linespoints ls 2 title 'limit of the same run'"""
    draw(folder, name, title, commands, {"data": data})


def numbered(figures, prefix):
    """The figures whose names are the prefix and a number, by that number."""
    rows = [(int(name[len(prefix):]), figure) for name, figure in figures.items() if name.startswith(prefix)]
    return sorted(rows, key=lambda row: row[0])


def plots(folder, results):
    scenarios = results["scenarios"]
    storages = [("memory", "memory"), ("sqlite", "SQLite"), ("redis", "Redis")]
    throughput = [(f"end to end\\n{words}", scenarios["e2e"][f"e2e_{key}"]) for key, words in storages]
    throughput += [(f"ENQUEUE\\n{words}", scenarios["enqueue"][f"enqueue_{key}"]) for key, words in storages]
    bars(folder, "throughput", "Jobs per second", "jobs/s", throughput)
    latency = [
        (f"{words}\\n{label}", scenarios["latency"][f"{key}_{percentile}"])
        for key, words in [("latency", "one at a time"), ("latency_half_peak", "half the peak")]
        for percentile, label in [("p50", "p50"), ("p99", "p99"), ("p999", "p99.9")]
    ]
    bars(folder, "latency", "From enqueueing to the feedback", "microseconds", latency)
    nodes = numbered(scenarios["nodes"], "nodes_")
    lines_over(folder, "nodes", "Jobs per second of one distributor", "jobs/s", "connected nodes", nodes)
    payload = numbered(scenarios["payload"], "payload_")
    lines_over(folder, "payload", "Jobs per second, args out and back", "jobs/s", "bytes of args", payload)


def replace_in(page, text):
    with open(page, encoding="utf-8") as file:
        before, rest = file.read().split(BEGIN)
    after = rest.split(END)[1]
    with open(page, "w", encoding="utf-8") as file:
        file.write(before + BEGIN + "\n" + text + "\n" + END + after)


def main(arguments):
    if len(arguments) not in (1, 3) or (len(arguments) == 3 and arguments[1] != "--page"):
        sys.exit(__doc__)
    folder = arguments[0]
    with open(os.path.join(folder, "results.json"), encoding="utf-8") as file:
        results = json.load(file)
    text = table(results)
    with open(os.path.join(folder, "table.md"), "w", encoding="utf-8") as file:
        file.write(text)
    page = arguments[2] if len(arguments) == 3 else None
    plots(os.path.dirname(page) if page else folder, results)
    if page:
        replace_in(page, text)


if __name__ == "__main__":
    main(sys.argv[1:])
