"""What people decide about relations, and how it becomes gold data.

A decision accepts, rejects or corrects one relation of one document, or adds
one that the reading missed. The page of ``novelink view`` hands them over as a
file (:mod:`novelink.curation.decisions`), ``novelink serve`` keeps them in a
database.
"""

from novelink.curation.decisions import (
    ACTIONS,
    FORMAT,
    VERSION,
    Decision,
    Key,
    decision_file,
    from_record,
    read_decisions,
    relation_key,
    to_record,
    to_records,
)
from novelink.curation.gold import INCOMPLETE, apply, curated, latest
from novelink.curation.report import CurationReport

__all__ = [
    "ACTIONS",
    "FORMAT",
    "INCOMPLETE",
    "VERSION",
    "CurationReport",
    "Decision",
    "Key",
    "apply",
    "curated",
    "decision_file",
    "from_record",
    "latest",
    "read_decisions",
    "relation_key",
    "to_record",
    "to_records",
]
