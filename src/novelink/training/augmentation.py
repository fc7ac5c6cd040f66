"""Training documents told otherwise: with other names and fewer sentences.

A corpus of some hundred abstracts is soon learned by heart: which gene was
raised in which disease, rather than the words that say so. Two ways against it:

- entities get the names of others of their type, under their own ids, so that
  all labels stay as they are;
- sentences are left out, as long as every entity keeps a mention and every
  related pair that shared a sentence still shares one.

What is drawn is a function of seed, epoch and document, so that a resumed run
draws the same. (A third way, hiding words, changes batches:
:class:`novelink.training.masking.WordHider`.)
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from novelink.pairs import candidate_pairs
from novelink.schema import NO_RELATION
from novelink.sentences import document_sentences
from novelink.training.document_edits import edited

if TYPE_CHECKING:
    from collections.abc import Iterable

    from novelink.document import Document, Mention
    from novelink.schema import Schema
    from novelink.sentences import Span
    from novelink.training.document_edits import Edit
    from novelink.training.settings import AugmentSettings

    Names = tuple[str, ...]


def entity_names(documents: Iterable[Document]) -> dict[str, list[Names]]:
    """Entity type → the names of each of its entities, the most frequent one first.

    One entry a concept and document, so that a name comes as often as it is written about.
    Mentions in several parts or with several ids give no name.
    """
    found: dict[str, list[Names]] = {}
    for document in documents:
        for entity in document.entities().values():
            texts = [one.text for one in entity.mentions if _is_plain(one)]
            if texts:
                found.setdefault(entity.type, []).append(_by_frequency(texts))
    return found


def with_other_names(
    document: Document,
    names: dict[str, list[Names]],
    generator: np.random.Generator,
    *,
    share: float,
) -> Document:
    """Give some entities the names of others of their type, under their own ids.

    Args:
        document: is not changed.
        names: where names come from, see :func:`entity_names`.
        generator: source of chance.
        share: of the entities. An entity keeps its names if a mention of it has several parts or
            ids, or overlaps another mention.
    """
    shared = _overlapping(document.mentions)
    edits: list[Edit] = []
    for entity in document.entities().values():
        donors = names.get(entity.type)
        # Drawn for every entity, so that one that cannot change does not shift the others' chance.
        chosen, pick = generator.random() < share, generator.random()
        if not chosen or not donors:
            continue
        if not all(_is_plain(one) and one not in shared for one in entity.mentions):
            continue
        given = donors[int(pick * len(donors))]
        own = _by_frequency([one.text for one in entity.mentions])
        renamed = {text: given[rank % len(given)] for rank, text in enumerate(own)}
        edits += [(one.start, one.end, renamed[one.text]) for one in entity.mentions]
    return edited(document, edits)


def with_fewer_sentences(
    document: Document, schema: Schema, generator: np.random.Generator, *, share: float
) -> Document:
    """Leave out some sentences that no label depends on.

    Args:
        document: is not changed.
        schema: says which pairs are candidates.
        generator: source of chance.
        share: of the sentences that can go: all but the first, as long as every entity keeps a
            mention, and related pairs a sentence together if they had one.
    """
    sentences = document_sentences(document)
    holds = [_ids_within(document.mentions, span) for span in sentences]
    related = [
        pair.ids for pair in candidate_pairs(document, schema) if pair.relation != NO_RELATION
    ]
    needs = [{name} for name in document.entities()] + [set(ids) for ids in related]
    # How many sentences are left that hold all of what is needed together.
    left = [sum(need <= ids for ids in holds) for need in needs]
    edits: list[Edit] = []
    for place in generator.permutation(len(sentences)):
        goes = generator.random() < share
        if not goes or place == 0 or _is_crossed(document.mentions, sentences[place]):
            continue
        lost = [index for index, need in enumerate(needs) if need <= holds[place]]
        if any(left[index] < 2 for index in lost):
            continue
        for index in lost:
            left[index] -= 1
        edits.append((*sentences[place], ""))
    return edited(document, edits)


class Augmentation:
    """Training documents of an epoch, as the settings have them told.

    Args:
        settings: how much of what.
        documents: the training documents, which also give the names.
        schema: says which pairs are candidates.
        seed: of the run.
    """

    def __init__(
        self, settings: AugmentSettings, documents: Iterable[Document], schema: Schema, *, seed: int
    ) -> None:
        self.settings = settings
        self.documents = list(documents)
        self._schema = schema
        self._seed = seed
        self._names = entity_names(self.documents)

    def of_epoch(self, epoch: int) -> list[Document]:
        """The documents, each drawn anew; the same for the same seed and epoch."""
        found = []
        for place, document in enumerate(self.documents):
            generator = np.random.default_rng((self._seed, epoch, place, 3))
            drop, swap = self.settings.drop_sentences, self.settings.swap_entities
            shorter = with_fewer_sentences(document, self._schema, generator, share=drop)
            found.append(with_other_names(shorter, self._names, generator, share=swap))
        return found


def _is_plain(mention: Mention) -> bool:
    """Whether a mention is one stretch of text that names one concept."""
    return not mention.spans and len(mention.concept_ids) == 1


def _by_frequency(texts: list[str]) -> Names:
    """Distinct names, the most frequent one first, of equal ones the earlier."""
    return tuple(text for text, _ in Counter(texts).most_common())


def _overlapping(mentions: Iterable[Mention]) -> set[Mention]:
    """Mentions that share a character with another one."""
    found: set[Mention] = set()
    widest: Mention | None = None
    for mention in sorted(mentions, key=lambda one: (one.start, one.end)):
        if widest is not None and mention.start < widest.end:
            found |= {mention, widest}
        if widest is None or mention.end > widest.end:
            widest = mention
    return found


def _ids_within(mentions: Iterable[Mention], span: Span) -> set[str]:
    """Concept ids that are mentioned in a sentence."""
    start, end = span
    inside = (one for one in mentions if start <= one.start and one.end <= end)
    return {concept_id for one in inside for concept_id in one.concept_ids}


def _is_crossed(mentions: Iterable[Mention], span: Span) -> bool:
    """Whether a mention lies only partly in a sentence."""
    start, end = span
    return any(
        one.start < end and one.end > start and not (start <= one.start and one.end <= end)
        for one in mentions
    )
