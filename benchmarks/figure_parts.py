"""What sections of the page of figures are made of."""

from __future__ import annotations

from dataclasses import dataclass, field

LEVELS = ("pair", "type", "novelty", "all")


@dataclass
class Section:
    """A heading with prose, tables and plots.

    Attributes:
        title: heading.
        body: lines of Markdown; ``{{name}}`` alone in a line is the plot of that name.
        plots: file name → kind and data.
        files: results that it shows.
    """

    title: str
    body: list
    plots: dict = field(default_factory=dict)
    files: list = field(default_factory=list)

    def text(self, images):
        """The Markdown, plots in place, files named at the end."""
        lines = [f"## {self.title}"]
        for line in self.body:
            if line.startswith("{{"):
                name = line.strip("{}")
                lines.append(f"![{self.plots[name]['alt']}]({images}/{name})\n")
            else:
                lines.append(line)
        if self.files:
            listed = ", ".join(f"`{name}.json`" for name in self.files)
            lines.append(f"\n*From {listed}.*\n")
        return "\n".join(lines)


def plot(kind, alt, data):
    """What a plot is made from."""
    return {"kind": kind, "alt": alt, "data": data}


def table(columns, rows):
    """Lines of a Markdown table."""
    return [
        f"| {' | '.join(columns)} |",
        f"|{'---|' * len(columns)}",
        *(f"| {' | '.join(map(str, row))} |" for row in rows),
        "",
    ]


def percent(share):
    """A share as per cent with one decimal."""
    return f"{100 * share:.1f}"


def number(value):
    """A count with separators, a small number with three digits that count."""
    if isinstance(value, int) or value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def machine(result):
    """One phrase on the machine of a results file."""
    found = result.get("machine")
    if not isinstance(found, dict):
        return str(found or "not noted")
    name = found.get("processor") or found.get("cpu") or "unknown processor"
    text = f"{name}, {found['cores']} cores" if found.get("cores") else name
    if found.get("int8_instructions") is False:
        text += ", without instructions for int8"
    return f"{text}, {found['gpu']}" if found.get("gpu") else text
