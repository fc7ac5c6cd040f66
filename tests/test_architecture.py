"""The folder list tells the architecture, and the imports keep to it."""

import ast
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "novelink"
HEAVY = {"torch", "transformers", "accelerate", "safetensors", "onnx"}
OUTER = {"cli", "serve", "scale", "__main__"}
FILES = sorted(SOURCE.rglob("*.py"))


def imports(path):
    """Modules that a file imports anywhere, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def part(path):
    """The part of the package that a file belongs to: its top folder or its own name."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def test_only_model_and_training_import_torch():
    for path in FILES:
        if part(path) not in {"model", "training"}:
            assert not {name.split(".")[0] for name in imports(path)} & HEAVY, path


def test_the_library_never_imports_commands_server_or_corpus_runs():
    for path in FILES:
        inner = {name.split(".")[1] for name in imports(path) if name.startswith("novelink.")}
        if part(path) not in OUTER:
            assert not inner & OUTER, path
        elif part(path) not in {"cli", "__main__"}:
            assert "cli" not in inner, path


def test_training_is_imported_by_training_and_commands_only():
    for path in FILES:
        if part(path) not in {"model", "training", "cli"}:
            assert not any(
                name.startswith(("novelink.training", "novelink.model.")) for name in imports(path)
            ), path


def test_the_development_requirements_are_the_dependency_group():
    listed = {
        line
        for line in (ROOT / "requirements-dev.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert listed == set(project["dependency-groups"]["dev"])
