"""Every route of the REST service from its OpenAPI description, as Markdown."""

from __future__ import annotations

import inspect
import json

from novelink.extractor import Extractor
from novelink.serve.app import create_app

TITLES = {
    "relations": "Relations",
    "jobs": "Jobs",
    "curating": "Decisions and gold data",
    "operation": "Operation",
}


def description() -> dict:
    """The OpenAPI description that a server gives at ``/openapi.json``."""
    return create_app(Extractor.load(threads=1)).openapi()


def page() -> str:
    """Routes by their tags."""
    routes = [
        (path, method, route)
        for path, methods in description()["paths"].items()
        for method, route in methods.items()
    ]
    lines = []
    for tag in dict.fromkeys(tag for _, _, route in routes for tag in route["tags"]):
        lines += [f"## {TITLES.get(tag, tag.capitalize())}", ""]
        for path, method, route in routes:
            if tag in route["tags"]:
                lines += section(path, method, route)
    return "\n".join(lines) + "\n"


def section(path: str, method: str, route: dict) -> list[str]:
    """One route."""
    lines = [f"### `{method.upper()} {path}`", "", f"**{route['summary']}.**"]
    lines += [inspect.cleandoc(route.get("description", "")), ""]
    parameters = route.get("parameters", [])
    if parameters:
        lines += ["| parameter | in | type | default | |", "|---|---|---|---|---|"]
        lines += [parameter_row(parameter) for parameter in parameters]
        lines.append("")
    for kind, content in route.get("requestBody", {}).get("content", {}).items():
        lines += body(kind, content)
    lines += answers(route["responses"])
    return lines


def parameter_row(parameter: dict) -> str:
    schema = parameter["schema"]
    kinds = [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]
    names = [
        " \\| ".join(f"`{value}`" for value in kind["enum"]) if "enum" in kind else span(kind)
        for kind in kinds
    ]
    default = schema.get("default")
    shown = "" if default is None else f"`{json.dumps(default)}`"
    if parameter.get("required"):
        shown = "required"
    text = parameter.get("description", "").replace("|", "\\|")
    return f"| `{parameter['name']}` | {parameter['in']} | {', '.join(names)} | {shown} | {text} |"


def span(kind: dict) -> str:
    """A type with its bounds."""
    if "minimum" in kind and "maximum" in kind:
        return f"{kind['type']} {kind['minimum']:g}–{kind['maximum']:g}"
    return kind.get("type", "any")


def body(kind: str, content: dict) -> list[str]:
    """What a request may send as one content type."""
    examples = {
        name: (entry.get("summary", name), entry["value"])
        for name, entry in content.get("examples", {}).items()
    }
    if "example" in content:
        examples = {"": ("", content["example"])}
    lines = [f"Body `{kind}`:", ""]
    for title, value in examples.values():
        lines += [f"*{title}*", ""] if title else []
        lines += block(value)
    return lines


def answers(responses: dict) -> list[str]:
    """What comes back, by status."""
    lines = ["| status | |", "|---|---|"]
    lines += [f"| {status} | {meaning(answer)} |" for status, answer in responses.items()]
    lines.append("")
    for status, answer in responses.items():
        example = answer.get("content", {}).get("application/json", {}).get("example")
        if status.startswith("2") and example is not None:
            lines += [f"Answer {status}:", "", *block(example)]
    return lines


def meaning(answer: dict) -> str:
    """A response's description, with its error code where it has one."""
    text = answer["description"].replace("|", "\\|")
    example = answer.get("content", {}).get("application/json", {}).get("example", {})
    code = example.get("error", {}).get("code") if isinstance(example, dict) else None
    return f"`{code}`: {text}" if code else text


def block(value) -> list[str]:
    """An example, as JSON where it is none of the text formats."""
    if isinstance(value, str):
        return ["```text", value.rstrip("\n"), "```", ""]
    return ["```json", json.dumps(value, ensure_ascii=False, indent=1), "```", ""]
