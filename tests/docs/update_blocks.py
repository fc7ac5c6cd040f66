"""Write the outputs that pages show anew, from what their commands print today.

    python tests/docs/update_blocks.py             all pages
    python tests/docs/update_blocks.py README.md   one

For when a model or a message has changed. Read the difference before it goes in: what the text
around says of an output may not hold any more. Outputs with a line ``…`` are shortened by hand,
so these are only named.
"""

# ruff: noqa: T201 (a script that says what it did)
from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from doc_blocks import PAGES, PageRun, blocks_of, likeness, rewritten, write_shell
from doc_stand_ins import lay_out


def update(page: Path, shell_path: Path) -> None:
    """Run a page and write what differs."""
    lines = page.read_text(encoding="utf-8").splitlines()
    blocks = blocks_of(page)
    with tempfile.TemporaryDirectory() as folder:
        lay_out(Path(folder), "\n".join(lines))
        for block in blocks:
            if "file" in block.marks:
                (Path(folder) / block.marks["file"]).write_text(block.text + "\n", encoding="utf-8")
        run = PageRun(Path(folder), shell_path)
        changes = []
        for block in blocks:
            if not block.runs:
                if "output of" in block.marks:
                    outcome = run.command_here(block.marks["output of"])
                    if likeness([*block.text.splitlines(), "…"], outcome.output) < 1:
                        print(f"{block.place}: look at it; this comes out:\n{outcome.output}")
                continue
            outcomes = run.run(block)
            shown = [line for command, _ in outcomes for line in command.output]
            if "…" in (line.strip() for line in shown):
                print(f"{block.place}: shortened by hand, look at it")
            elif shown and (new := rewritten(block, outcomes)) != block.text:
                changes.append((block.span, new))
    for (start, end), text in reversed(changes):
        lines[start + 1 : end] = text.splitlines()
        print(f"{page.name}:{start + 1} written")
    if changes:
        page.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    wanted = set(sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        shell_path = write_shell(Path(folder) / "bin")
        for page in PAGES:
            if not wanted or page.name in wanted:
                update(page, shell_path)


if __name__ == "__main__":
    main()
