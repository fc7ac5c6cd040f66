"""What an installed package holds, and that it needs no more than it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from importlib.metadata import distribution, requires
from itertools import chain
from pathlib import Path

import pytest

import novelink
from novelink.runtime.bundle import EMBEDDED, default_name, embedded_names, load_bundle
from novelink.runtime.model_set import is_model_set, open_model

ROOT = Path(__file__).parents[2]
PACKAGE = Path(novelink.__file__).parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
REQUIREMENTS = [*PROJECT["dependencies"], *chain(*PROJECT["optional-dependencies"].values())]
INSTALLED = os.environ.get("NOVELINK_INSTALLED") == "1"
"""Set by ``make wheel-test``: then the installed package is tested, not the tree."""


def named(requirement):
    return re.match(r"[\w.-]+", requirement)[0].lower().replace("_", "-")


def test_the_package_under_test_is_the_one_that_is_meant():
    assert (PACKAGE.parent == ROOT / "src") is not INSTALLED


def test_types_and_all_files_that_code_opens_are_shipped():
    assert (PACKAGE / "py.typed").is_file()
    assert (PACKAGE / "view" / "assets" / "page.html").is_file()
    for name in embedded_names():
        own = () if is_model_set(EMBEDDED / name) else ("tokenizer.json",)
        for file in ("config.json", "README.md", "manifest.json", *own):
            assert (EMBEDDED / name / file).is_file()
        open_model(name)
    assert default_name() in embedded_names()


@pytest.mark.skipif(not INSTALLED, reason="only of an installed package (make wheel-test)")
def test_the_encoder_to_train_from_stays_out_of_the_wheel():
    assert not (PACKAGE / "models" / "encoder").exists()


def test_only_files_of_known_kinds_are_shipped():
    """No pickles, no compiled code, no stray data."""
    kinds = {path.suffix for path in PACKAGE.rglob("*") if path.is_file()}
    assert kinds - {".pyc"} <= {
        "", ".py", ".typed", ".json", ".jsonl", ".onnx", ".md", ".js", ".css", ".html",
        ".safetensors", ".difference", ".txt", ".toml", ".csv", ".tsv",
    }  # fmt: skip


def test_the_base_install_has_the_dependencies_of_the_project_file():
    wanted = {named(line) for line in PROJECT["dependencies"]}
    if INSTALLED:  # of a tree, the facts may be those of when it was installed
        assert wanted == {named(line) for line in requires("novelink") if "extra ==" not in line}
    assert wanted == {
        "click", "defusedxml", "filelock", "httpx", "numpy", "onnxruntime", "tenacity",
        "tokenizers",
    }  # fmt: skip


def test_every_dependency_has_a_lowest_version_that_the_matrix_tries():
    for line in REQUIREMENTS:
        assert ">=" in line or line.startswith("novelink["), line


WITHOUT_EXTRAS = """
import importlib.util, pathlib, sys
import click
EXTRAS = {%r}

class Nothing:
    @staticmethod
    def find_spec(name, *_):
        if name.partition(".")[0] in EXTRAS:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Nothing)
import novelink
from novelink.cli import cli

root = pathlib.Path(novelink.__file__).parent
for path in sorted(root.rglob("*.py")):
    parts = path.relative_to(root).with_suffix("").parts
    if parts[0] not in {"model", "training", "serve", "scale", "spacy_component", "__main__"}:
        importlib.import_module(".".join(("novelink", *(p for p in parts if p != "__init__"))))

def helps(command, path):
    command.get_help(click.Context(command, info_name=path))
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            helps(command.get_command(context, name), f"{path} {name}")

helps(cli, "novelink")
"""


def test_the_library_and_every_help_text_work_without_any_extra():
    extras = {
        "torch", "transformers", "accelerate", "safetensors", "onnx", "duckdb", "fsspec",
        "pyarrow", "ray", "fastapi", "uvicorn", "starlette", "prometheus_client", "spacy",
    }  # fmt: skip
    code = WITHOUT_EXTRAS.replace("{%r}", repr(extras))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_command_and_the_module_are_the_same():
    (script,) = [
        entry for entry in distribution("novelink").entry_points if entry.group == "console_scripts"
    ]
    assert (script.name, script.value) == ("novelink", "novelink.cli:main")
    done = subprocess.run(
        [sys.executable, "-m", "novelink", "--version"],
        capture_output=True, text=True, check=True, cwd="/",
    )  # fmt: skip
    assert done.stdout == f"novelink, version {novelink.__version__}\n"


def test_a_model_works_where_nothing_may_be_written_and_names_have_blanks(
    tiny_bundle, small_documents, tmp_path
):
    import shutil

    from novelink import Extractor

    folder = tmp_path / "a model with blanks, (brackets) and ü"
    shutil.copytree(tiny_bundle, folder)
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    for path in (*folder.iterdir(), folder):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        found = list(Extractor.load(folder, threads=1).extract(small_documents))
        assert load_bundle(folder).name == "tiny"
    finally:
        folder.chmod(0o755)
    assert len(found) == len(small_documents)
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_the_constraints_pin_every_direct_dependency_within_its_bounds():
    pins = dict(
        line.split("==")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line and not line.startswith("#")
    )
    pins = {named(name): version for name, version in pins.items()}
    wanted = REQUIREMENTS
    for line in wanted:
        name = named(line)
        if name == "novelink":
            continue
        assert name in pins, f"constraints.txt lacks {name}"
        (lowest,) = re.findall(r">=([\d.]+)", line.partition(";")[0])[:1]
        as_numbers = [
            tuple(int(part) for part in re.findall(r"\d+", text)[:3])
            for text in (pins[name], lowest)
        ]
        assert as_numbers[0] >= as_numbers[1], line


def test_the_source_archive_holds_what_its_own_tests_and_commands_need():
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = set(config["tool"]["hatch"]["build"]["targets"]["sdist"]["include"])
    made = {"out", "dist", "build", "runs", "__pycache__"}
    for path in ROOT.iterdir():
        if path.name[0] == "." or path.name in made or path.suffix == ".egg-info":
            continue
        # The project file always comes along.
        assert path.name == "pyproject.toml" or any(
            fnmatch(path.name, pattern) for pattern in included
        ), f"{path.name} would be missing from the source archive"
