"""Which of a name's concepts is meant."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from novelink.annotate.lexicon.index import likeness
from novelink.annotate.lexicon.names import squash, stems
from novelink.annotate.linking.queries import parts_of, variants_of
from novelink.annotate.linking.weights import WEIGHTS, Weights

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from novelink.annotate.lexicon.index import Candidate, Lexicon

# How far each way of meeting a name is to be trusted.
_WAYS = {"squashed": 0.8, "loose": 0.7, "words": 0.6}
# Below this share of weighted words in common two names mean different things.
_LEAST_OVERLAP = 0.5
_LEAST_PART = 0.34
_SURE = 0.3
_LEAST_COHERENCE = 0.3
# Genes of these organisms are meant even where the text names none.
_USUAL = frozenset({9606, 10090})
_SHARPNESS = 2.0
# One word in common says little: it must be a long one.
_LEAST_WORD = 6
_LEAST_WORD_OVERLAP = 0.6


@dataclass(frozen=True, slots=True)
class Choice:
    """The concept taken for a name.

    Attributes:
        concept_ids: usually one.
        score: how sure, 0–1: likeness of the names times the share of this
            concept among the candidates.
        name: the name in the lexicon.
        way: ``usage``, ``squashed``, ``loose``, ``part``, ``words``, ``word``
            (everyday word) or ``rule``.
        taxon: the concept's organism, 0 where it has none.
    """

    concept_ids: tuple[str, ...]
    score: float
    name: str
    way: str
    taxon: int = 0


@dataclass(frozen=True, slots=True)
class Context:
    """What the rest of the document says.

    Attributes:
        words: stems of the document's words by kind of the name asked for.
        taxa: taxon → weight, for genes; None where organisms do not matter.
        weights: how much each sign counts.
    """

    words: frozenset[str]
    taxa: Mapping[int, float] | None = None
    weights: Weights = WEIGHTS


def choose(lexicon: Lexicon, kind: str, names: Iterable[str], context: Context) -> Choice | None:
    """The likeliest concept of an entity that goes by some names.

    Args:
        lexicon: where to look.
        kind: of the entity's type.
        names: of the entity in this document, most telling first (a long form
            before its abbreviation).
        context: of the document.

    Returns:
        None where nothing is like enough.
    """
    best: Choice | None = None
    names = list(names)
    for index, name in enumerate(names):
        # An abbreviation whose long form is not in the lexicon mostly means something else there.
        borrowed = index > 0
        for form, quality in variants_of(kind, name):
            found = _rank(lexicon, kind, form, quality, context, coherent=borrowed)
            if found is not None and (best is None or found.score > best.score):
                best = found
            if best is not None and best.score >= _SURE:
                return _ortholog(lexicon, best, context)
    if best is not None:
        return _ortholog(lexicon, best, context)
    for name in names[:1]:
        found = _by_parts(lexicon, kind, name, context)
        if found is not None and (best is None or found.score > best.score):
            best = found
    return best


def _ortholog(lexicon: Lexicon, choice: Choice, context: Context) -> Choice:
    """The gene of the same symbol in the organism that the document speaks for.

    Synonyms are listed for some organisms only (LKB1 for human STK11, not for
    mouse Stk11), while official symbols are shared by orthologs.
    """
    if not context.taxa or not choice.taxon:
        return choice
    wanted = max(context.taxa, key=lambda taxon: (context.taxa or {})[taxon])
    margin = context.taxa[wanted] - context.taxa.get(choice.taxon, 0.0)
    if wanted == choice.taxon or margin < context.weights.ortholog:
        return choice
    symbol = lexicon.names("gene", choice.concept_ids[0])[0]
    for candidate in lexicon.candidates("gene", symbol):
        if candidate.taxon == wanted and candidate.way == "squashed" and not candidate.grade:
            return replace(
                choice, concept_ids=(candidate.concept_id,), name=candidate.name, taxon=wanted
            )
    return choice


def _by_parts(lexicon: Lexicon, kind: str, name: str, context: Context) -> Choice | None:
    """By words in common, or else by a part of the name that is a name itself."""
    by_words = _rank(lexicon, kind, name, 1.0, context, words=True)
    if by_words is not None and by_words.score > 0.4:
        return by_words
    for part, share in parts_of(kind, name):
        if share < _LEAST_PART:
            break
        found = _rank(lexicon, kind, part, 0.75 * share, context)
        if found is not None:
            return Choice(found.concept_ids, found.score, found.name, "part", found.taxon)
    return by_words


def _rank(
    lexicon: Lexicon,
    kind: str,
    name: str,
    quality: float,
    context: Context,
    *,
    words: bool = False,
    coherent: bool = False,
) -> Choice | None:
    candidates = _similar(lexicon, kind, name) if words else lexicon.candidates(kind, name)
    if context.taxa is not None:
        candidates = tuple(
            item for item in candidates if item.taxon in context.taxa or item.taxon in _USUAL
        )
    weights = context.weights
    grades = (0.0, weights.synonym, weights.description)
    usage = lexicon.usage(kind, name)
    total = sum(usage.values())
    weight = weights.gene_coherence if kind == "gene" else weights.coherence
    scored: list[tuple[float, Choice]] = []
    for candidate in candidates:
        like = likeness(name, candidate.name) if candidate.way == "squashed" else 0.5
        match = (_WAYS[candidate.way] + 0.2 * like) * candidate.overlap * quality
        points = weights.likeness * like + grades[candidate.grade]
        points += weights.prior * candidate.prior + weights.overlap * candidate.overlap
        if len(candidates) > 1 or coherent:
            coherence = _coherence(lexicon, kind, candidate, name, context)
            if coherent and coherence < _LEAST_COHERENCE:
                continue
            points += weight * coherence
        if kind == "gene" and len(candidates) > 1:
            points += weights.symbol * _symbol_share(lexicon, candidate, name)
        if context.taxa is not None and candidate.taxon:
            points += weights.organism * context.taxa.get(candidate.taxon, weights.absent)
        points += weights.usage * math.log1p(usage.get(candidate.concept_id, 0))
        found = Choice(
            (candidate.concept_id,), match, candidate.name, candidate.way, candidate.taxon
        )
        scored.append((points, found))
    listed = {candidate.concept_id for candidate in candidates}
    for concept, count in usage.items():
        if concept not in listed:
            points = weights.usage * math.log1p(count) + weights.overlap * count / total
            found = Choice(tuple(concept.split(",")), 0.8 * quality, name, "usage")
            scored.append((points, found))
    if not scored:
        return None
    top, choice = max(scored, key=lambda item: (item[0], item[1].concept_ids))
    mass = sum(math.exp((points - top) * _SHARPNESS) for points, _ in scored)
    return replace(choice, score=choice.score / mass)


def _similar(lexicon: Lexicon, kind: str, name: str) -> tuple[Candidate, ...]:
    """Candidates with words in common, if these are enough."""
    own = stems(kind, name)
    least = _LEAST_OVERLAP
    if len(own) == 1:
        if len(own[0]) < _LEAST_WORD:
            return ()
        least = _LEAST_WORD_OVERLAP
    return tuple(item for item in lexicon.similar(kind, name) if item.overlap >= least)


def _symbol_share(lexicon: Lexicon, candidate: Candidate, name: str) -> float:
    """How much of a gene's symbol the name makes up: Ras of HRAS, IL-17 of Il17a.

    Of genes that share a synonym, the one whose symbol is built on it is meant.
    """
    symbol, own = squash(lexicon.names("gene", candidate.concept_id)[0]), squash(name)
    return len(own) / len(symbol) if own and (symbol.startswith(own) or symbol.endswith(own)) else 0


def _coherence(
    lexicon: Lexicon, kind: str, candidate: Candidate, name: str, context: Context
) -> float:
    """How much of the candidate's other names the document has, 0–1."""
    own = set(stems(kind, name))
    best = 0.0
    for other in lexicon.names(kind, candidate.concept_id)[:30]:
        words = [word for word in stems(kind, other) if len(word) > 2 and word not in own]
        if not words:
            continue
        present = sum(word in context.words for word in words)
        best = max(best, present / len(words) * min(1.0, len(words) / 2))
    return best
