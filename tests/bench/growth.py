"""growth.py - the growth curves as an SVG: logarithmic axes, readable on light and dark ground.

SPDX-License-Identifier: GPL-2.0-or-later

Usage: growth.py RUN... PICTURE, as in growth.py build/bench-run.json docs/bench-growth.svg.  Of curves that are in
several runs the last one is drawn.
"""

import html
import json
import math
import sys

# chart: what the size is, what the value is
CHARTS = {
    "start": ("devices", "start, s"),
    "memory": ("devices", "shared memory in use, MiB"),
    "change": ("devices", "one change takes effect, ms"),
    "evaluate": ("devices", "evaluated, readings/s a core"),
    "intake": ("devices", "taken in and durable, readings/s"),
    "latency": ("devices", "reading to NOTIFY, ms"),
    "subscribe": ("watchers", "SUBSCRIBE with full NOTIFY, 1/s"),
    "fanout": ("watchers", "alert accepted to last NOTIFY, ms"),
}
WIDTH, HEIGHT = 360, 250
LEFT, RIGHT, TOP, BOTTOM = 62, 28, 30, 46
DASHES = ["", "6 3", "2 3", "8 3 2 3", "1 4"]
STYLE = """
text { font: 12px sans-serif; fill: #222 }
.title { font-weight: bold }
.grid { stroke: #999; stroke-opacity: .35 }
.axis { stroke: #444; fill: none }
.s0 { stroke: #0b5cad; fill: #0b5cad } .s1 { stroke: #b5480f; fill: #b5480f }
.s2 { stroke: #27772b; fill: #27772b } .s3 { stroke: #8a2c8f; fill: #8a2c8f }
.s4 { stroke: #666; fill: #666 }
polyline { fill: none !important; stroke-width: 2 }
.key { stroke: none }
.ground { fill: #fff }
@media (prefers-color-scheme: dark) {
text { fill: #eee } .axis { stroke: #bbb } .ground { fill: #161616 }
.s0 { stroke: #6db3f8; fill: #6db3f8 } .s1 { stroke: #ff9d5c; fill: #ff9d5c }
.s2 { stroke: #7bd07f; fill: #7bd07f } .s3 { stroke: #dd8fe2; fill: #dd8fe2 }
.s4 { stroke: #aaa; fill: #aaa }
}
"""


def decades(values):
    """Whole powers of ten around all values, at least one decade."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def power(exponent):
    if 0 <= exponent <= 4:
        return f"{10 ** exponent:,}"
    if -3 <= exponent < 0:
        return f"{10.0 ** exponent:g}"
    return f"10<tspan dy='-5' font-size='9'>{exponent}</tspan>"


def between(places):
    """Points along a curve, close to each other."""
    return [(x + (to_x - x) * i / 20, y + (to_y - y) * i / 20)
            for (x, y), (to_x, to_y) in zip(places, places[1:]) for i in range(21)]


class Chart:
    """One set of axes with its curves."""

    def __init__(self, name, series, x, y):
        self.out = []
        self.x, self.y = x, y
        points = [p for s in series.values() for p in s if p[0] > 0 and p[1] and p[1] > 0]
        self.columns = decades([p[0] for p in points])
        self.rows = decades([p[1] for p in points])
        self.axes(*CHARTS[name])
        curves = [[self.place(*p) for p in sorted(p for p in curve if p[0] > 0 and p[1] and p[1] > 0)]
                  for curve in series.values()]
        key = self.key_top(curves, series)
        for number, (label, places) in enumerate(zip(series, curves)):
            self.curve(number, label, places, key + 14 * number)

    def place(self, size, value):
        def part(number, span):
            return (math.log10(number) - span[0]) / (span[1] - span[0])
        return (self.x + LEFT + part(size, self.columns) * (WIDTH - LEFT - RIGHT),
                self.y + HEIGHT - BOTTOM - part(value, self.rows) * (HEIGHT - TOP - BOTTOM))

    def add(self, text):
        self.out.append(text)

    def axes(self, size_name, value_name):
        left, bottom = self.place(10.0 ** self.columns[0], 10.0 ** self.rows[0])
        right, top = self.place(10.0 ** self.columns[1], 10.0 ** self.rows[1])
        for e in range(self.columns[0], self.columns[1] + 1):
            x = self.place(10.0 ** e, 10.0 ** self.rows[0])[0]
            self.add(f"<path class='grid' d='M{x:.1f} {top:.1f}V{bottom:.1f}'/>")
            self.add(f"<text x='{x:.1f}' y='{bottom + 16:.1f}' text-anchor='middle'>{power(e)}</text>")
        for e in range(self.rows[0], self.rows[1] + 1):
            y = self.place(10.0 ** self.columns[0], 10.0 ** e)[1]
            self.add(f"<path class='grid' d='M{left:.1f} {y:.1f}H{right:.1f}'/>")
            self.add(f"<text x='{left - 6:.1f}' y='{y + 4:.1f}' text-anchor='end'>{power(e)}</text>")
        self.add(f"<path class='axis' d='M{left:.1f} {top:.1f}V{bottom:.1f}H{right:.1f}'/>")
        self.add(f"<text class='title' x='{left:.1f}' y='{self.y + 16}'>{html.escape(value_name)}</text>")
        self.add(f"<text x='{right:.1f}' y='{bottom + 34:.1f}' text-anchor='end'>"
                 f"{html.escape(size_name)}</text>")

    def key_top(self, curves, series):
        """Where the first line of the key stands: above, or below where fewer curves pass behind it."""
        across = self.x + LEFT + 8 + 7 * max(map(len, series))
        tops = [self.y + TOP + 14, self.y + HEIGHT - BOTTOM - 14 * len(series) + 6]

        def behind(top):
            return sum(top - 14 < y < top + 14 * len(series) for curve in curves
                       for x, y in between(curve) if x < across)
        return min(tops, key=behind)

    def curve(self, number, label, places, y_of_label):
        if not places:
            return
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        style = f"class='s{number % 5}'"
        self.add(f"<polyline {style} stroke-dasharray='{DASHES[number % 5]}' points='{line}'/>")
        for x, y in places:
            self.add(f"<circle {style} cx='{x:.1f}' cy='{y:.1f}' r='2.5'/>")
        self.add(f"<text class='s{number % 5} key' x='{self.x + LEFT + 8}' "
                 f"y='{y_of_label}'>{html.escape(label)}</text>")


def svg(curves):
    names = [name for name in CHARTS
             if any(p[1] and p[1] > 0 for s in curves.get(name, {}).values() for p in s)]
    if not names:
        return None
    columns = 2 if len(names) > 1 else 1
    width, height = columns * WIDTH, -(-len(names) // columns) * HEIGHT
    out = [f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' "
           f"width='{width}' height='{height}' role='img' "
           "aria-label='How start, memory and times grow'>",
           f"<style>{STYLE}</style>", f"<rect class='ground' width='{width}' height='{height}'/>"]
    for i, name in enumerate(names):
        out += Chart(name, curves[name], i % columns * WIDTH, i // columns * HEIGHT).out
    return "\n".join(out + ["</svg>", ""])


def draw(curves, place):
    """Writes the picture; nothing when there is no point to draw."""
    text = svg(curves)
    if text is not None:
        with open(place, "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    merged = {}
    for run in sys.argv[1:-1]:
        with open(run, encoding="utf-8") as source:
            merged |= json.load(source)["curves"]
    draw(merged, sys.argv[-1])
