"""Answers of trained models, and of several of them together, by torch on any device.

Files of answers are kept beside the models, so that an ensemble of many large
models is computed one model at a time, and never twice.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import torch

from novelink.decode import relations_of
from novelink.ensemble import MemberAnswer, joint_decisions
from novelink.pairs import candidate_pairs
from novelink.training.precision import use_bf16
from novelink.training.prediction import predict
from novelink.training.selection import read_selection
from novelink.training.task_model import load_model
from novelink.whole_file import whole_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from novelink.document import Document
    from novelink.schema import Schema

_BATCH_TOKENS = 16_384


def member_answer(
    folder: Path, documents: Sequence[Document], *, precision: str = "auto"
) -> MemberAnswer:
    """A trained model's logits of all candidate pairs, with its own thresholds.

    Args:
        folder: of a saved model, ``best`` or a kept epoch of a run.
        documents: their relations are not looked at.
        precision: see :func:`~novelink.training.precision.use_bf16`.

    Raises:
        ModelError: the folder holds no trained model.
    """
    settings = read_selection(folder).decision
    bare = [document.with_relations(()) for document in documents]
    path = folder / "answers" / f"{_digest(bare)}.npz"
    if not path.exists():
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        model = load_model(folder)
        logits = predict(
            model.model.to(device),
            model.samples(bare),
            model.pad_id,
            batch_tokens=_BATCH_TOKENS,
            bf16=use_bf16(precision, device),
            device=device,
        )
        path.parent.mkdir(exist_ok=True)
        with whole_file(path) as fresh:
            np.savez(fresh, relation=logits.relation, novelty=logits.novelty)
    with np.load(path) as kept:
        return MemberAnswer(kept["relation"], kept["novelty"], settings)


def voted_documents(
    documents: Sequence[Document],
    relation: Sequence[MemberAnswer],
    novelty: Sequence[MemberAnswer],
    schema: Schema,
    *,
    method: str = "majority",
) -> list[Document]:
    """Documents with the relations that members agree on.

    Args:
        documents: their candidate pairs, in order, are the answers' rows.
        relation: members that vote on relation types.
        novelty: members that vote on novelty.
        schema: vocabulary.
        method: one of :data:`novelink.voting.METHODS`.
    """
    found = []
    begin = 0
    for document in documents:
        pairs = candidate_pairs(document.with_relations(()), schema)
        rows = slice(begin, begin + len(pairs))
        begin = rows.stop
        decisions = joint_decisions(
            [_part(member, rows) for member in relation],
            [_part(member, rows) for member in novelty],
            [pair.pair_type for pair in pairs],
            schema,
            method=method,
        )
        found.append(document.with_relations(relations_of(pairs, decisions)))
    return found


def _part(member: MemberAnswer, rows: slice) -> MemberAnswer:
    return MemberAnswer(member.relation[rows], member.novelty[rows], member.settings)


def _digest(documents: Sequence[Document]) -> str:
    digest = hashlib.sha256()
    for document in documents:
        digest.update(repr(document).encode())
    return digest.hexdigest()[:16]
