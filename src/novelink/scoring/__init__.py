"""The BioRED track's scorer: four levels, tables, intervals, a report.

>>> from novelink import score
>>> score("gold.pubtator", "predicted.pubtator")["all"].f1  # doctest: +SKIP
0.47
"""

from __future__ import annotations

from novelink.scoring.counts import Counts
from novelink.scoring.scorer import score
from novelink.scoring.scores import Scores

__all__ = ["Counts", "Scores", "score"]
