"""Do relations rest on their evidence? Blank a sentence, and see what the score loses.

    python benchmarks/evidence.py Dev.PubTator --model compact

Every sentence of every document is taken out in turn, mentions and all (blanks keep the offsets).
What a relation's score (1 − P(no relation)) loses by it is compared between

top      the heaviest sentence of its evidence
other    the mean over all other sentences
rival    the mean over the other sentences that also hold a mention of the pair, where there are
         any: a harder comparison, since such sentences matter by themselves

The mean over sentences is what a sentence drawn at random loses in the long run, without the noise
of drawing one.

A sentence without which one of the two entities is not in the text at all says nothing, as the
pair is gone: it is left out, and relations whose top sentence is such a one are counted apart.
Documents are drawn with replacement for the 95 % intervals.
Writes benchmarks/results/evidence.json.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from quality import machine, versions

from novelink import Extractor, read
from novelink.sentences import document_sentences

RESULTS = Path(__file__).parent / "results" / "evidence.json"
OTHER, RIVAL = 1, 2  # columns, after the top sentence's loss


def without(document, start, end):
    """The document with blanks in place of the sentence from ``start`` to ``end``."""
    passages = []
    for passage in document.passages:
        first, last = (
            min(max(place - passage.offset, 0), len(passage.text)) for place in (start, end)
        )
        text = passage.text[:first] + " " * (last - first) + passage.text[last:]
        passages.append(replace(passage, text=text))
    kept = [one for one in document.mentions if one.end <= start or one.start >= end]
    return replace(document, passages=tuple(passages), mentions=tuple(kept), relations=())


def scores(document):
    """Pair of ids → score, for a document judged with a threshold of 0."""
    return {(one.id1, one.id2): one.score for one in document.relations}


def losses(extractor, document):
    """For each relation: what its score loses by its top sentence, others and rivals."""
    (found,) = extractor.extract([document], evidence=True)
    sentences = document_sentences(document)
    if not found.relations or len(sentences) < 2:
        return []
    copies = (without(document, start, end) for start, end in sentences)
    judged = [scores(copy) for copy in extractor.extract(copies, min_score=0.0)]
    entities = document.entities()
    rows = []
    for relation in found.relations:
        pair = relation.id1, relation.id2
        # The order of two entities is that of their first mentions, which may have changed.
        left = [one.get(pair, one.get(pair[::-1], np.nan)) for one in judged]
        lost = relation.score - np.array(left)
        first = relation.evidence[0]
        top = sentences.index((first.start, first.end))
        places = [mention.start for name in pair for mention in entities[name].mentions]
        holds = np.array([any(s <= place < e for place in places) for s, e in sentences])
        other = (np.arange(len(sentences)) != top) & np.isfinite(lost)
        rival = other & holds
        rows.append(
            (
                lost[top],
                lost[other].mean() if other.any() else np.nan,
                lost[rival].mean() if rival.any() else np.nan,
                holds[top],
            )
        )
    return rows


def compared(rows, column):
    """Rows that have both a top sentence to take out and something to compare it with."""
    return rows[np.isfinite(rows[:, 0]) & np.isfinite(rows[:, column])]


def mean(column, against):
    """Mean of a column over the rows compared."""
    return lambda rows: compared(rows, against)[:, column].mean()


def difference(column):
    """How much more the top sentence's loss is."""
    return lambda rows: mean(0, column)(rows) - mean(column, column)(rows)


def share(column):
    """How often the top sentence's loss is the larger."""

    def of(rows):
        chosen = compared(rows, column)
        return (chosen[:, 0] > chosen[:, column]).mean()

    return of


def interval(per_document, function, draw):
    """Value, and 95 % interval by drawing documents."""
    whole = np.concatenate(per_document)
    values = []
    for _ in range(1000):
        chosen = draw.integers(0, len(per_document), len(per_document))
        values.append(function(np.concatenate([per_document[one] for one in chosen])))
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return {
        "value": round(float(function(whole)), 4),
        "interval": [round(float(low), 4), round(float(high), 4)],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", help="documents with marked entities")
    parser.add_argument("--model", help="a model that reads whole documents")
    parser.add_argument("--documents", type=int, help="most documents")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args()
    extractor = Extractor.load(options.model, threads=options.threads)
    start = time.perf_counter()
    documents = list(read(options.corpus))[: options.documents]
    found = [losses(extractor, document) for document in documents]
    per_document = [np.array(rows, dtype=float) for rows in found if rows]
    draw = np.random.default_rng(options.seed)
    measures = {
        "top_loss": mean(0, OTHER),
        "other_loss": mean(OTHER, OTHER),
        "top_minus_other": difference(OTHER),
        "top_above_other_share": share(OTHER),
        "top_loss_with_rivals": mean(0, RIVAL),
        "rival_loss": mean(RIVAL, RIVAL),
        "top_minus_rival": difference(RIVAL),
        "top_above_rival_share": share(RIVAL),
        "top_holds_a_mention_share": lambda rows: rows[:, 3].mean(),
    }
    whole = np.concatenate(per_document)
    result = {
        "corpus": Path(options.corpus).name,
        "model": extractor.name,
        "documents": len(documents),
        "relations": len(whole),
        "relations_compared": len(compared(whole, OTHER)),
        "relations_compared_with_rivals": len(compared(whole, RIVAL)),
        "seconds": round(time.perf_counter() - start, 1),
        "seed": options.seed,
        "machine": machine(),
        "versions": versions(),
        **{name: interval(per_document, measure, draw) for name, measure in measures.items()},
    }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    for name in measures:
        print(f"{name:28} {result[name]['value']:8.4f}  {result[name]['interval']}")
    print(f"written to {options.output}")


if __name__ == "__main__":
    main()
