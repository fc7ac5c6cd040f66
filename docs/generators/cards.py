"""The cards of the models that come along, as they stand in their folders."""

from __future__ import annotations

from novelink.runtime.bundle import EMBEDDED, default_name


def page() -> str:
    """All cards, the default model's first; headings one level down, front matter as a line."""
    folders = sorted(path.parent for path in EMBEDDED.glob("*/README.md"))
    folders.sort(key=lambda folder: folder.name != default_name())
    return "\n\n".join(card(folder) for folder in folders) + "\n"


def card(folder) -> str:
    """One card."""
    text = (folder / "README.md").read_text(encoding="utf-8")
    facts = ""
    if text.startswith("---\n"):
        front, _, text = text.removeprefix("---\n").partition("\n---\n")
        facts = " · ".join(f"{line}" for line in front.splitlines() if ":" in line)
    headed = [
        f"#{line}" if line.startswith("#") else line for line in text.strip("\n").splitlines()
    ]
    title, *rest = headed
    return "\n".join([title, "", f"*{facts}*" if facts else "", "", *rest])
