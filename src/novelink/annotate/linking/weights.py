"""How much each sign of a right choice counts.

The values were found by random search on BioRED's training documents.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of the ranking; points are compared between candidates only.

    Attributes:
        likeness: of the spelling to the mention's.
        synonym: for a name that is not the preferred one.
        description: for a long name that others may share.
        prior: of the concept's own prior.
        overlap: of the share of words in common.
        symbol: of the share of a gene's symbol that the mention makes up.
        gene_coherence: of other names of a gene found in the document.
        coherence: the same for other kinds.
        usage: per natural logarithm of mentions in annotated documents.
        organism: of the document's evidence for a gene's organism.
        absent: for organisms that nothing speaks for.
        human: evidence for human genes where nothing is said.
        title: how often an organism in the title counts.
        near: of an organism right before the gene.
        sentence: of an organism elsewhere in the sentence.
        capitals: of a gene name in capitals for a human gene.
        capitalised: of a name like Pkd2 for a rodent's gene.
        letter: of a first letter like that of hTERT.
        ortholog: by how much the evidence for an organism must exceed that for
            a gene's own, for the gene of the same symbol there to be taken.
    """

    likeness: float = 1.6
    synonym: float = -1.0
    description: float = -0.35
    prior: float = 1.0
    overlap: float = 3.0
    symbol: float = 0.5
    gene_coherence: float = 1.2
    coherence: float = 0.4
    usage: float = 0.8
    organism: float = 4.0
    absent: float = -0.2
    human: float = 0.25
    title: float = 1.3
    near: float = 3.6
    sentence: float = 0.6
    capitals: float = 0.02
    capitalised: float = 0.25
    letter: float = 0.5
    ortholog: float = 0.1


WEIGHTS = Weights()
