"""A spaCy component: entities that a pipeline found → relations between them.

>>> import spacy  # doctest: +SKIP
>>> nlp = spacy.load("a_pipeline_that_finds_genes_and_diseases")  # doctest: +SKIP
>>> nlp.add_pipe("novelink", last=True)  # doctest: +SKIP
>>> nlp("BRCA1 mutations cause breast cancer.")._.relations  # doctest: +SKIP

spaCy finds it by the package's entry point. Labels are read by the model's
schema and its aliases (``GENE`` needs an alias; ``Gene`` has one). An entity's
id is its ``kb_id_`` or ``ent_id_``; without one, entities of equal text count as
one.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from spacy.language import Language
from spacy.tokens import Doc

from novelink.document import Document, Mention, Passage
from novelink.extractor import Extractor
from novelink.pairs import expand_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from spacy.tokens import Span


class RelationComponent:
    """Sets ``doc._.relations`` and ``doc._.novelink``.

    Args:
        extractor: the model.
        labels: entity labels of the pipeline → entity types of the schema,
            beside the schema's own names and aliases.
        min_score: least score of a relation, in place of the model's own
            threshold.

    Attributes:
        ignored: label → entities left out because the schema lacks their type.
    """

    def __init__(
        self, extractor: Extractor, labels: dict[str, str], min_score: float | None
    ) -> None:
        self._extractor = extractor
        self._labels = labels
        self._min_score = min_score
        self.ignored: dict[str, int] = {}
        for name in ("relations", "novelink"):
            if not Doc.has_extension(name):
                Doc.set_extension(name, default=None)

    def __call__(self, doc: Doc) -> Doc:
        """Read one document."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 64) -> Iterator[Doc]:
        """Read many documents, so many at a time."""
        docs = iter(stream)
        while batch := list(islice(docs, batch_size)):
            found = self._extractor.extract(
                (self._document(doc, str(number)) for number, doc in enumerate(batch)),
                min_score=self._min_score,
            )
            for doc, document in zip(batch, found, strict=True):
                doc._.novelink = document
                doc._.relations = list(document.relations)
                yield doc

    def _document(self, doc: Doc, name: str) -> Document:
        mentions = tuple(filter(None, map(self._mention, doc.ents)))
        return Document(name, (Passage(0, doc.text, "text"),), mentions)

    def _mention(self, span: Span) -> Mention | None:
        label = self._labels.get(span.label_, span.label_)
        kind = self._extractor.schema.entity_type(label)
        if kind is None:
            self.ignored[span.label_] = self.ignored.get(span.label_, 0) + 1
            return None
        ids = expand_ids(span.kb_id_ or span.ent_id_) or (" ".join(span.text.casefold().split()),)
        return Mention(span.start_char, span.end_char, span.text, kind, ids)


@Language.factory(  # type: ignore[untyped-decorator]  # spaCy is not followed
    "novelink",
    default_config={"model": None, "labels": {}, "min_score": None, "threads": None},
    requires=["doc.ents"],
)
def make_component(  # noqa: PLR0917 (spaCy calls factories by name)
    nlp: Language,  # noqa: ARG001 (spaCy calls factories so)
    name: str,  # noqa: ARG001 (as above)
    model: str | None,
    labels: dict[str, str],
    min_score: float | None,
    threads: int | None,
) -> RelationComponent:
    """What ``nlp.add_pipe("novelink", config={...})`` makes.

    Args:
        nlp: the pipeline.
        name: of the component in it.
        model: name or folder; None is the default model.
        labels: the pipeline's entity labels → names of the model's entity types.
        min_score: least score of a relation, 0–1; None is the model's own.
        threads: pairs judged side by side; None is all cores.
    """
    return RelationComponent(Extractor.load(model, threads=threads), labels, min_score)
