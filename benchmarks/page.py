"""How fast the page of 1,000 abstracts and 20,000 relations opens and filters in Chromium.

Times come from the page's own Performance API measures: ``novelink-open`` runs from navigation
until the page can be used, ``novelink-filter`` from a change of a filter until its lists are drawn.
``to_paint_ms`` goes on until the frame with the change is painted, ``work_ms`` is the script, style
and layout time of the page's main thread in it, which waiting for a busy core does not enter.

    python benchmarks/page.py --documents 1000 --relations 20000
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import tempfile
import time
from pathlib import Path

from novelink.document import Document, Evidence, Mention, Relation
from novelink.schema import BIORED
from novelink.view.page import page_html

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SYLLABLES = ["ba", "co", "di", "fen", "gol", "har", "im", "jo", "kel", "lur", "mon", "nes", "or"]


def word(random_, parts):
    return "".join(random_.choice(SYLLABLES) for _ in range(parts))


def make_document(number, relations, random_, entities):
    """An abstract of about 1,600 characters with 14 entities, twice each, in ten sentences."""
    chosen = random_.sample(entities, 14)
    mentions, sentences, text = [], [], ""
    places = chosen * 2
    random_.shuffle(places)
    for index in range(10):
        start = len(text)
        for _ in range(20):
            text += word(random_, random_.choice((1, 2, 3))) + " "
            if places and random_.random() < 0.15:
                name, kind, concept = places.pop()
                mentions.append(Mention(len(text), len(text) + len(name), name, kind, (concept,)))
                text += f"{name} "
        text = f"{text.rstrip()}. "
        if index:
            sentences.append(Evidence(start, len(text) - 1, 0.5))
    title_end = text.index(". ") + 1
    found = list(dict.fromkeys(m.concept_ids[0] for m in mentions))
    pairs = [(a, b) for i, a in enumerate(found) for b in found[i + 1 :]]
    related = [
        Relation(
            a,
            b,
            random_.choice(BIORED.relation_types),
            random_.choice(("Novel", "No")),
            random_.random(),
            random_.random(),
            None,
            tuple(random_.sample(sentences, 2)),
        )
        for a, b in random_.sample(pairs, min(relations, len(pairs)))
    ]
    return Document.from_text(
        str(10_000_000 + number),
        text[:title_end],
        text[title_end + 1 :].rstrip(),
        mentions=mentions,
        relations=related,
    )


def measures(page, name):
    return page.evaluate(
        "name => performance.getEntriesByName(name).map((entry) => entry.duration)", name
    )


def main_thread(session):
    """Milliseconds of work on the page's main thread so far; waiting for a core does not count."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    values = {metric["name"]: metric["value"] for metric in metrics}
    names = ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration")
    return 1000 * sum(values[name] for name in names)


def painted(page, action):
    """Milliseconds from an input event until the frame after it is painted."""
    return page.evaluate(
        """action => new Promise((resolve) => {
            const start = performance.now();
            (new Function(action))();
            requestAnimationFrame(() => requestAnimationFrame(() =>
                resolve(performance.now() - start)));
        })""",
        action,
    )


FILTERS = {
    "type off": "document.querySelector('.of-types input').click()",
    "type on": "document.querySelector('.of-types input').click()",
    "novelty off": "document.querySelector('.of-novelty input').click()",
    "novelty on": "document.querySelector('.of-novelty input').click()",
    "score": "const r = document.getElementById('score-filter'); r.value = 0.5; "
    "r.dispatchEvent(new Event('input'))",
    "entity": "const e = document.getElementById('entity-filter'); e.value = 'kel'; "
    "e.dispatchEvent(new Event('input'))",
    "clear": "document.getElementById('clear-filters').click()",
    "all documents": "document.querySelector('input[value=all]').click()",
    "sort by entity": "document.querySelector('.head .first button').click()",
    "next relation": "document.body.dispatchEvent("
    "new KeyboardEvent('keydown', {key: 'j', bubbles: true}))",
}


def summary(values):
    return {
        "best": round(min(values)),
        "median": round(statistics.median(values)),
        "worst": round(max(values)),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--relations", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--browser", default=shutil.which("chromium"))
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    random_ = random.Random(1)
    types = BIORED.entity_types[:4]
    entities = [
        (f"{word(random_, 3)}{n}", types[n % 4], str(n) if n % 4 == 0 else f"D{n:06}")
        for n in range(6000)
    ]
    per_document = options.relations // options.documents
    documents = [
        make_document(number, per_document, random_, entities)
        for number in range(options.documents)
    ]
    started = time.perf_counter()
    html = page_html(documents, title="benchmark")
    made = time.perf_counter() - started
    counts = sum(len(document.relations) for document in documents)
    result = {
        "documents": len(documents),
        "relations": counts,
        "page_mb": round(len(html.encode()) / 1e6, 2),
        "made_s": round(made, 2),
    }
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "page.html"
        path.write_text(html, encoding="utf-8")
        browser = playwright.chromium.launch(executable_path=options.browser, args=ARGUMENTS)
        result["browser"] = f"Chromium {browser.version}"
        opened, frames, filters = [], {name: [] for name in FILTERS}, []
        opened_work, work = [], {name: [] for name in FILTERS}
        for _ in range(options.repeats):
            # The benchmark itself needs the right to run functions in the page.
            context = browser.new_context(viewport={"width": 1400, "height": 850}, bypass_csp=True)
            page = context.new_page()
            session = context.new_cdp_session(page)
            session.send("Performance.enable")
            page.goto(path.as_uri())
            page.wait_for_selector("html[data-ready]", timeout=60_000)
            opened += measures(page, "novelink-open")
            opened_work.append(main_thread(session))
            for name, action in FILTERS.items():
                before = main_thread(session)
                frames[name].append(painted(page, action))
                work[name].append(main_thread(session) - before)
            filters += measures(page, "novelink-filter")
            context.close()
        browser.close()
    result["open_ms"] = summary(opened)
    result["open_work_ms"] = summary(opened_work)
    result["filter_ms"] = summary(filters)
    result["to_paint_ms"] = {name: summary(values) for name, values in frames.items()}
    result["work_ms"] = {name: summary(values) for name, values in work.items()}
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
