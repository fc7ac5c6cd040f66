"""The relation lines of PubTator files: one dialect per line, recognised and named.

After the document's id a line has one of these forms:

=====================  =======================================================
dialect                columns
=====================  =======================================================
``PubTator 3``         type, id1, id2
``BioRED``             type, id1, id2, ``Novel`` or ``No``
``direction``          id1, id2, ``Subject:`` and the id that acts on the other,
                       with or without ``|``score
``score column``       type, id1, id2, a number 0–1
``type|score``         type``|``score, id1, id2 and, where known, novelty
                       with or without ``|``score
``novelty|score``      type, id1, id2, novelty ``|`` score
=====================  =======================================================
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from novelink.document import Relation
from novelink.formats.identifiers import normal_form
from novelink.pairs import expand_ids

if TYPE_CHECKING:
    from novelink.formats.intake import Intake

SUBJECT = "Subject:"


def parse_relation(columns: list[str], line: int, intake: Intake) -> Relation:
    """A relation line's columns after the document's id.

    Raises:
        DataError: the line fits no dialect, or a value is unknown.
    """
    kind, _, score_text = columns[0].partition("|")
    if not 3 <= len(columns) <= 4 or not kind or not columns[1] or not columns[2]:
        raise intake.fault(
            f"a relation line of {len(columns) + 1} columns fits no known dialect",
            line=line,
            remedy="Known are: id, type, id1, id2 (PubTator 3); the same with Novel or No "
            "(BioRED), with a score, or with type|score and Novel|score; id, id1, id2, Subject:id",
        )
    dialect = "PubTator 3"
    score = novelty_score = None
    novelty = None
    if score_text:
        dialect = "type|score"
        score = intake.probability(score_text, "score", line)
    if len(columns) == 4:
        label, _, label_score = columns[3].partition("|")
        if label[:1].isdigit() or label[:1] == ".":
            if score is not None or label_score:
                raise intake.fault(
                    f"relation with two scores, '{columns[0]}' and '{columns[3]}'",
                    line=line,
                    remedy="Give the score once",
                )
            dialect = "score column"
            score = intake.probability(label, "score", line)
        else:
            novelty = intake.novelty(label, line)
            if label_score:
                novelty_score = intake.probability(label_score, "novelty score", line)
            if dialect == "PubTator 3":
                dialect = "novelty|score" if label_score else "BioRED"
    intake.report.dialects[dialect] += 1
    return Relation(
        normal_form(columns[1]),
        normal_form(columns[2]),
        intake.relation_type(kind, line),
        novelty,
        score,
        novelty_score,
    )


def _is_of(subject: str, pair: frozenset[str]) -> bool:
    """Whether a subject is one of a pair's ids, or one of the concepts of a compound id."""
    acting = set(expand_ids(subject))
    return subject in pair or any(acting & set(expand_ids(name)) for name in pair)


class RelationLines:
    """The relations of one document while its lines are read.

    Args:
        intake: for errors and counts.
    """

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._found: list[Relation] = []
        # One look-up a line: to search all relations would take their number squared.
        self._subjects: dict[frozenset[str], str | None] = {}

    def __len__(self) -> int:
        return len(self._found)

    def add(self, columns: list[str], line: int) -> None:
        """Take a relation line's columns after the document's id.

        Raises:
            DataError: the line fits no dialect, or a value is unknown.
        """
        relation = parse_relation(columns, line, self._intake)
        self._found.append(relation)
        self._subjects.setdefault(frozenset((relation.id1, relation.id2)), None)

    def add_subject(self, columns: list[str], line: int) -> None:
        """Take a direction line: id1, id2, ``Subject:id``.

        Raises:
            DataError: no relation has the pair, or the subject is not in it.
        """
        self._intake.report.dialects["direction"] += 1
        pair = frozenset((normal_form(columns[0]), normal_form(columns[1])))
        subject = _subject(pair, columns, line, self._intake)
        if pair not in self._subjects:
            raise self._intake.fault(
                f"direction line for '{columns[0]}' and '{columns[1]}', which have no relation "
                "here",
                line=line,
                remedy="Put it after the relation's own line, or remove it",
            )
        self._subjects[pair] = subject

    def relations(self) -> tuple[Relation, ...]:
        """All of them, each with the subject of its pair."""
        return tuple(
            relation if subject is None else replace(relation, subject=subject)
            for relation in self._found
            for subject in [self._subjects[frozenset((relation.id1, relation.id2))]]
        )


def _subject(pair: frozenset[str], columns: list[str], line: int, intake: Intake) -> str:
    subject = normal_form(columns[2][len(SUBJECT) :].strip())
    bare, _, score = subject.rpartition("|")
    # BioREDirect puts a score behind the id, for which documents have no place. Ids have bars
    # too, so it is taken off only where the whole is none of the pair's ids.
    if not _is_of(subject, pair) and _is_of(bare, pair):
        intake.probability(score, "score of a subject", line)
        subject = bare
    if not _is_of(subject, pair):
        raise intake.fault(
            f"subject '{subject}' is neither of '{columns[0]}' and '{columns[1]}'",
            line=line,
            remedy="A direction line is: id, id1, id2, Subject: and one of the two",
        )
    return subject
