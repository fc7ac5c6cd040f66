"""Generated reference pages name all there is; what is typed by hand agrees with the code."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import click
import pytest

from novelink.cli import COMMANDS, cli
from novelink.formats.intake import _RELATION_VERBS
from novelink.runtime.bundle import GRAPH, MANIFEST, embedded_names, find_bundle, load_bundle
from novelink.runtime.model_set import is_model_set

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def generators():
    sys.path.insert(0, str(DOCS))
    try:
        from generators import commands, failures, rest, settings
    finally:
        sys.path.remove(str(DOCS))
    return {"commands": commands, "failures": failures, "rest": rest, "settings": settings}


def leaves(command, context):
    """All commands below a group."""
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            yield from leaves(command.get_command(context, name), context)
    else:
        yield command


def test_every_command_and_every_option_is_in_the_reference(generators):
    page = generators["commands"].page()
    context = click.Context(cli)
    for name in COMMANDS:
        assert f"## `novelink {name}`" in page
        for command in leaves(cli.get_command(context, name), context):
            for option in command.params:
                if isinstance(option, click.Option) and not option.hidden:
                    assert all(f"`{written}`" in page for written in option.opts), option.name


def test_every_option_says_what_it_does():
    context = click.Context(cli)
    for name in COMMANDS:
        for command in leaves(cli.get_command(context, name), context):
            for option in command.params:
                if isinstance(option, click.Option) and not option.hidden:
                    assert option.help, f"novelink {name} {option.opts[0]}"


def test_every_setting_is_described(generators):
    """``table`` fails for a field that its docstring leaves out."""
    page = generators["settings"].page()
    for key in ("`fgm_epsilon`", "`negatives_per_positive`", "`held_out`", "`novel_threshold`"):
        assert key in page
    assert not re.search(r"\| *\|\n", page), "a setting without a meaning"


def test_every_environment_variable_of_the_source_is_described_and_no_other(generators):
    settings = generators["settings"]
    assert settings.variables_read() - settings.SET_HERE == set(settings.VARIABLES)


def test_every_route_is_in_the_reference(generators):
    pytest.importorskip("fastapi", reason="the REST reference needs the extra 'serve'")
    rest = generators["rest"]
    page = rest.page()
    routes = [
        f"### `{method.upper()} {path}`"
        for path, methods in rest.description()["paths"].items()
        for method in methods
    ]
    assert len(routes) > 10
    assert all(route in page for route in routes)


def test_the_table_of_pubtator_verbs_is_that_of_the_reader():
    rows = re.findall(
        r"^\| `([a-z_]+)` \| ([A-Z]\w+) \|$",
        (DOCS / "coming-from.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    assert dict(rows) == _RELATION_VERBS


def test_the_failures_shown_are_those_of_the_models_that_ship(generators):
    """If this fails: python benchmarks/failures.py Dev.PubTator; then read docs/limits.md anew."""
    measured = json.loads(generators["failures"].RESULT.read_text(encoding="utf-8"))["models"]
    shipped = {}
    for name in embedded_names():
        folder = find_bundle(name)
        if is_model_set(folder) or load_bundle(name).reading not in ("entity", "document"):
            continue  # a set, the tagger, or the per-pair model, which is not in the wheel
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        shipped[name] = manifest["files"][GRAPH]["sha256"]
    assert {name: model["sha256"] for name, model in measured.items()} == shipped


def test_every_page_is_in_the_contents():
    contents = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^(?:[^\n<]+<)?([a-z-]+)[*>]?$", contents, re.MULTILINE))
    pages = {path.stem for path in DOCS.glob("*.md")} - {"index"}
    assert pages <= listed


def test_links_between_pages_lead_somewhere():
    """Sphinx checks this too; here it needs no Sphinx, and README is included."""
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name}: {target}"
