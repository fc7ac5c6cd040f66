"""The folder list tells the architecture, and the imports keep to it."""

import ast
import importlib.util
import tomllib
from pathlib import Path

import pytest

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


def test_no_file_imports_torch_by_its_name_as_text():
    """``import_module("torch")`` would go round the rule above."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
                named = node.args[0]
                if isinstance(named, ast.Constant):
                    assert named.value.split(".")[0] not in HEAVY, path


def load_generator(name):
    path = ROOT / "docs/generators" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"docs_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_part_leads_back_to_itself_when_it_is_loaded():
    order, against = load_generator("imports").ordered()  # raises where there is a circle
    assert "extractor" in order
    # Inside functions two imports go the other way: a folder may hold a set of models, and a
    # document shows itself in notebooks.
    assert against == {"extractor": {"ensemble"}, "document": {"view"}}


def test_a_circle_of_imports_would_be_found(monkeypatch):
    imports = load_generator("imports")
    monkeypatch.setattr(imports, "imports", lambda: ({"a": {"b"}, "b": {"c"}, "c": {"a"}}, {}))
    with pytest.raises(ValueError, match="circle"):
        imports.ordered()


def test_the_picture_of_the_parts_is_up_to_date():
    """If this fails: python docs/generators/imports.py."""
    imports = load_generator("imports")
    assert imports.PICTURE.read_text(encoding="utf-8") == imports.picture()


def test_training_is_imported_by_training_and_commands_only():
    for path in FILES:
        if part(path) not in {"model", "training", "cli"}:
            assert not any(
                name.startswith(("novelink.training", "novelink.model.")) for name in imports(path)
            ), path


@pytest.mark.parametrize("group", ["dev", "docs"])
def test_the_requirements_files_are_the_dependency_groups(group):
    listed = {
        line
        for line in (ROOT / f"requirements-{group}.txt").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    }
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert listed == set(project["dependency-groups"][group])
