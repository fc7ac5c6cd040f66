"""Sections of the page of figures on entities, plain text, evidence and parts of the method."""

from __future__ import annotations

from figure_parts import LEVELS, Section, machine, number, percent, table


def tagging(results, _):
    """Mentions found by a tagger."""
    found = results.get("tagging")
    if not found:
        return None
    body = [
        "Mentions found in plain text, exact span and type, in per cent; F1 with a 95 % interval.",
        "",
    ]
    for data, one in found.items():
        rows = [
            [
                kind,
                number(values["mentions"]),
                *(f"{values[key]:.1f}" for key in ("precision", "recall")),
                f"{values['f1']:.1f} ({'–'.join(f'{end:.1f}' for end in values['interval'])})",
            ]
            for kind, values in one["scores"].items()
        ]
        body += [f"### `{one['model']}` on {data} ({one['documents']} documents)", ""]
        body += table(["type", "mentions", "precision", "recall", "F1"], rows)
        body += [
            f"{number(one['model_mb'])} MB; {number(one['documents_per_cpu_second'])} abstracts a CPU second; peak memory {number(one['peak_memory_mb'])} MB; {machine(one)}.",
            "",
        ]
    return Section("Tagging", body, {}, ["tagging"])


def linking(results, _):
    """Concept ids from lexicons."""
    found = results.get("linking")
    if not found:
        return None
    rows = []
    for lexicon, one in found["lexicons"].items():
        for kind, values in one["types"].items():
            rows.append(
                [
                    lexicon,
                    kind,
                    number(values["mentions"]),
                    *(
                        values[key]
                        for key in ("accuracy", "reachable", "precision", "recall", "f1")
                    ),
                ]
            )
    body = [
        f"Mentions of {found['corpus']} ({found['documents']} documents) whose gold ids were taken away and given anew by a [lexicon](lexicon.md), in per cent. *accuracy*: exactly the gold ids; *reachable*: a gold id is in the lexicon at all; the rest compares the sets of ids of documents.",
        "",
        *table(
            ["lexicon", "type", "mentions", "accuracy", "reachable", "precision", "recall", "F1"],
            rows,
        ),
    ]
    times = [
        f"{lexicon}: {number(one['ms_per_mention_first'])} ms a mention the first time, {number(one['ms_per_mention_remembered'])} ms once remembered, index of {one['index_mb']} MB"
        for lexicon, one in found["lexicons"].items()
    ]
    body += [f"- {line}" for line in times]
    body += [f"- peak memory {found['peak_memory_mb']} MB; machine: {machine(found)}"]
    return Section("Linking", body, {}, ["linking"])


def end_to_end(results, _):
    """Relations from plain text, entities found offline."""
    found = {name: one for name, one in results.items() if name.startswith("end-to-end") and one}
    if not found:
        return None
    body = [
        "From title and abstract alone, offline: the tagger finds mentions, a lexicon gives them ids, a model relates them. F1 in per cent; an entity that was not found, or got another id, takes its relations with it.",
        "",
    ]
    for one in found.values():
        rows = []
        for lexicon, models in one.get("quality", {}).items():
            for model, scores in models.items():
                entities = [
                    percent(scores["entities"][step]["f1"])
                    for step in ("recognition", "normalisation")
                ]
                levels = [
                    f"{percent(level['f1'])} ({'–'.join(map(percent, level['interval']))})"
                    for level in (scores["relations"][name] for name in LEVELS)
                ]
                rows.append([lexicon, f"`{model}`", *entities, *levels])
        body += [f"### {one['data']} ({one['documents']} documents)", ""]
        body += table(["lexicon", "model", "recognition", "normalisation", *LEVELS], rows)
        if "speed" in one:
            steps = one["speed"]["steps"]
            body += [
                f"Speed with `{one['speed']['model']}` on {machine(one['speed'])}, {one['speed']['threads']} threads:",
                "",
            ]
            body += table(
                ["step", "documents a second", "CPU ms a document"],
                [
                    [
                        name.replace("_", " "),
                        number(step["documents_per_second"]),
                        number(step["cpu_ms_per_document"]),
                    ]
                    for name, step in steps.items()
                ],
            )
    return Section("From plain text to relations", body, {}, list(found))


def evidence(results, _):
    """What relations lose without their evidence."""
    found = {name: results[name] for name in results if name.startswith("evidence")}
    if not found:
        return None
    body = [
        "What a relation's score loses when a sentence is blanked: the heaviest sentence of its evidence (*top*), the others, and those of the others that hold a mention of the pair (*rival*).",
        "",
    ]
    for result in found.values():
        rows = [
            [name.replace("_", " "), one["value"], " to ".join(map(str, one["interval"]))]
            for name, one in result.items()
            if isinstance(one, dict) and {"value", "interval"} <= set(one)
        ]
        body += [
            f"`{result['model']}`, {number(result['relations_compared'])} relations of {result['documents']} documents of {result['corpus']}:",
            "",
            *table(["measure", "value", "95 % interval"], rows),
        ]
    return Section("Evidence", body, {}, list(found))


def ablation(results, _):
    """Where the parts' worth is told."""
    names = [name for name in results if name.startswith("ablation-")]
    if not names:
        return None
    body = [
        "What each of the method's tasks, adversarial steps and votes adds has [a page of its own](ablation.md)."
    ]
    return Section("Parts of the method", body, {}, names)


SECTIONS = (tagging, linking, end_to_end, evidence, ablation)
