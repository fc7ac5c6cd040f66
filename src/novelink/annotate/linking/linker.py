"""Mentions of a document → concept ids."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING

from novelink.annotate.abbreviations import long_forms
from novelink.annotate.lexicon.corpus import VARIANT_USAGE
from novelink.annotate.lexicon.names import stems
from novelink.annotate.lexicon.record import KINDS
from novelink.annotate.linking.local import local_id, name_key
from novelink.annotate.linking.organisms import OrganismView, organism_word
from novelink.annotate.linking.ranking import Choice, Context, choose
from novelink.annotate.linking.weights import WEIGHTS, Weights
from novelink.annotate.variants import variant_ids
from novelink.schema import CELL_LINE, GENE, SPECIES, VARIANT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from novelink.annotate.lexicon.index import Lexicon
    from novelink.document import Document, Mention

INFON = "linking"
"""Document infon with the choices' scores, as JSON: ``{"ids": {id: score}, …}``."""

# Least score of a choice that is sure: chosen on BioRED Dev by the F1 of ids of tagged mentions.
_KNOWN = 0.4


@dataclass
class LinkReport:
    """How many mentions got which kind of id.

    Attributes:
        by_lexicon: whether names were looked up in one.
        documents: documents seen.
        linked: mentions linked to a concept, by entity type.
        local: mentions with a local ``text:`` id, by entity type.
        unknown: mentions without any id, by entity type.
        given: mentions that had ids and kept them.
    """

    by_lexicon: bool = False
    documents: int = 0
    linked: Counter[str] = field(default_factory=Counter)
    local: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    given: int = 0

    def lines(self) -> Iterator[str]:
        """The report for people."""
        linked, local, unknown = (one.total() for one in (self.linked, self.local, self.unknown))
        if local and not self.by_lexicon:
            yield (
                f"{local:,} mentions have local ids (text:…): no lexicon is used, so each name "
                "is one entity within its document"
            )
        elif local:
            yield f"{linked:,} mentions linked, {local:,} not found and given local ids (text:…)"
        elif unknown:
            yield f"{linked:,} mentions linked, {unknown:,} not found and left without ids"
        elif linked:
            yield f"{linked:,} mentions linked"


@dataclass
class _Entity:
    """Mentions of one type that go by one name in a document."""

    type: str
    mentions: list[Mention]
    names: list[str]


class Linker:
    """Gives mentions their concept ids; may be used by several threads at once.

    Args:
        lexicon: from :meth:`Lexicon.open`; None gives local ids.
        overwrite: replace ids that mentions already have.
        known_only: give no id, and so no relations, to what the lexicon does not
            surely know.
        weights: of the ranking.
    """

    def __init__(
        self,
        lexicon: Lexicon | None = None,
        *,
        overwrite: bool = False,
        known_only: bool = False,
        weights: Weights = WEIGHTS,
    ) -> None:
        self.lexicon = lexicon
        self.weights = weights
        self.overwrite = overwrite
        self.known_only = known_only and lexicon is not None
        self.report = LinkReport(by_lexicon=lexicon is not None)
        self._counting = Lock()

    def link(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Documents with ids on all mentions, one at a time and in order.

        The document infon ``linking`` keeps each id's score, 0–1, and says
        whether a lexicon was used.
        """
        for document in documents:
            yield self.link_document(document)

    def link_document(self, document: Document) -> Document:
        """One document with ids on all its mentions."""
        wanted = [
            mention for mention in document.mentions if self.overwrite or not mention.concept_ids
        ]
        choices = self.choices(document, wanted)
        self._count(choices, wanted, given=len(document.mentions) - len(wanted))
        linked = tuple(
            replace(mention, concept_ids=choices[mention].concept_ids, source_id=None)
            if mention in choices
            else mention
            for mention in document.mentions
        )
        return replace(document, mentions=linked, infons=self._infons(document, choices))

    def choices(self, document: Document, mentions: Sequence[Mention]) -> dict[Mention, Choice]:
        """The concept of each mention, with score and way.

        Args:
            document: for its text and abbreviations.
            mentions: those of its mentions that ids are wanted for.
        """
        forms = long_forms(document)
        text = document.text
        entities = _entities(mentions, forms)
        choices: dict[Mention, Choice] = {}
        variants = [mention for mention in mentions if mention.type == VARIANT]
        for mention, form in variant_ids(variants, text).items():
            if form is not None:
                choices[mention] = self._variant(mention, form)
        words = {kind: frozenset(stems(kind, text)) for kind in set(KINDS.values())}
        # Organisms and cell lines first: they say which organism's genes are meant.
        late = [entity for entity in entities if entity.type not in {SPECIES, CELL_LINE}]
        for entity in entities:
            if entity.type in {SPECIES, CELL_LINE}:
                self._take(entity, self._organism(entity, words), choices)
        view = OrganismView.of(document, _taxa(document, choices), self.weights)
        for entity in late:
            if self.lexicon is None or entity.type not in KINDS:
                continue
            kind = KINDS[entity.type]
            taxa = view.weights(entity.mentions, text) if entity.type == GENE else None
            context = Context(words[kind], taxa, self.weights)
            found = choose(self.lexicon, kind, entity.names, context)
            self._take(entity, found, choices)
        if self.known_only:
            return {one: choice for one, choice in choices.items() if choice.score >= _KNOWN}
        self._local(entities, choices)
        return choices

    def _count(
        self, choices: Mapping[Mention, Choice], wanted: Sequence[Mention], *, given: int
    ) -> None:
        report = self.report
        with self._counting:
            report.documents += 1
            report.given += given
            for mention in wanted:
                choice = choices.get(mention)
                counter = report.unknown if choice is None else report.linked
                if choice is not None and choice.way == "local":
                    counter = report.local
                counter[mention.type] += 1

    def _variant(self, mention: Mention, form: str) -> Choice:
        """The form itself, or the id that annotated documents mostly give it."""
        if form.startswith("rs"):
            return Choice((form,), 1.0, mention.text, "rule")
        usage = self.lexicon.usage(VARIANT_USAGE, form) if self.lexicon else {}
        if usage:
            # Of ids that are as usual, rs numbers come last in the alphabet and are taken.
            concept, count = max(usage.items(), key=lambda item: (item[1], item[0]))
            share = count / sum(usage.values())
            return Choice(tuple(concept.split(",")), 0.9 * share, mention.text, "usage")
        return Choice((form,), 0.9, mention.text, "rule")

    def _organism(self, entity: _Entity, words: Mapping[str, frozenset[str]]) -> Choice | None:
        if entity.type == SPECIES:
            taxon = organism_word(entity.names[0])
            if taxon is not None:
                return Choice((str(taxon),), 1.0, entity.names[0], "word", taxon)
        if self.lexicon is None:
            return None
        kind = KINDS[entity.type]
        context = Context(words[kind], weights=self.weights)
        found = choose(self.lexicon, kind, entity.names, context)
        if found is not None and entity.type == SPECIES:
            return replace(found, taxon=int(found.concept_ids[0]))
        return found

    @staticmethod
    def _take(entity: _Entity, choice: Choice | None, choices: dict[Mention, Choice]) -> None:
        if choice is not None:
            choices.update(dict.fromkeys(entity.mentions, choice))

    @staticmethod
    def _local(entities: Sequence[_Entity], choices: dict[Mention, Choice]) -> None:
        taken: dict[str, str] = {}
        for entity in entities:
            left = [mention for mention in entity.mentions if mention not in choices]
            if left:
                made = local_id(entity.names[0], taken, entity.type)
                taken.setdefault(made, entity.type)
                choices.update(dict.fromkeys(left, Choice((made,), 1.0, entity.names[0], "local")))

    def _infons(
        self, document: Document, choices: Mapping[Mention, Choice]
    ) -> tuple[tuple[str, str], ...]:
        scores = {
            concept: round(choice.score, 3)
            for choice in choices.values()
            if choice.way != "local"
            for concept in choice.concept_ids
        }
        value = {"lexicon": self.lexicon is not None, "ids": dict(sorted(scores.items()))}
        kept = tuple(infon for infon in document.infons if infon[0] != INFON)
        return (*kept, (INFON, json.dumps(value, separators=(",", ":"))))


def link(documents: Iterable[Document], lexicon: Lexicon | None = None) -> Iterator[Document]:
    """Documents whose mentions without ids got some; see :class:`Linker`."""
    return Linker(lexicon).link(documents)


def _entities(mentions: Sequence[Mention], forms: Mapping[str, str]) -> list[_Entity]:
    """Group mentions by name, abbreviations with their long forms, in text order."""
    grouped: dict[tuple[str, str], _Entity] = {}
    for mention in sorted(mentions, key=lambda item: (item.start, item.end, item.type)):
        long = forms.get(mention.text) or forms.get(mention.text.removesuffix("s"))
        key = (mention.type, name_key(mention.type, long or mention.text))
        entity = grouped.setdefault(key, _Entity(mention.type, [], []))
        entity.mentions.append(mention)
        for name in (long, mention.text):
            if name and name not in entity.names:
                entity.names.append(name)
    return list(grouped.values())


def _taxa(document: Document, choices: Mapping[Mention, Choice]) -> dict[Mention, int]:
    """Organism of each organism and cell line mention, given ids included."""
    taxa = {mention: choice.taxon for mention, choice in choices.items() if choice.taxon}
    for mention in document.mentions:
        if mention.type == SPECIES and mention not in taxa:
            numbers = [int(found) for found in mention.concept_ids if found.isdigit()]
            if numbers:
                taxa[mention] = numbers[0]
    return taxa
