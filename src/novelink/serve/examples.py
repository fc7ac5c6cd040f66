"""Examples of the OpenAPI description. Texts and ids are made up."""

from __future__ import annotations

from typing import Any

TITLE = "Zelamine lowers ORFX1 in gutter disease"
ABSTRACT = "Patients with gutter disease were given zelamine. ORFX1 fell by half."

DOCUMENT: dict[str, Any] = {
    "id": "101",
    "title": TITLE,
    "abstract": ABSTRACT,
    "mentions": [
        {"start": 0, "end": 8, "text": "Zelamine", "type": "ChemicalEntity", "ids": ["D990002"]},
        {"start": 16, "end": 21, "text": "ORFX1", "type": "GeneOrGeneProduct", "ids": ["9901"]},
        {
            "start": 25,
            "end": 39,
            "text": "gutter disease",
            "type": "DiseaseOrPhenotypicFeature",
            "ids": ["D990001"],
        },
    ],
}

PUBTATOR = (
    f"101|t|{TITLE}\n101|a|{ABSTRACT}\n"
    "101\t0\t8\tZelamine\tChemicalEntity\tD990002\n"
    "101\t16\t21\tORFX1\tGeneOrGeneProduct\t9901\n"
    "101\t25\t39\tgutter disease\tDiseaseOrPhenotypicFeature\tD990001\n"
)

BIOC: dict[str, Any] = {
    "source": "",
    "date": "",
    "key": "",
    "documents": [
        {
            "id": "101",
            "passages": [
                {
                    "offset": 0,
                    "infons": {"type": "title"},
                    "text": TITLE,
                    "annotations": [
                        {
                            "id": "1",
                            "infons": {"type": "ChemicalEntity", "identifier": "D990002"},
                            "text": "Zelamine",
                            "locations": [{"offset": 0, "length": 8}],
                        },
                        {
                            "id": "2",
                            "infons": {"type": "GeneOrGeneProduct", "identifier": "9901"},
                            "text": "ORFX1",
                            "locations": [{"offset": 16, "length": 5}],
                        },
                    ],
                    "relations": [],
                }
            ],
            "relations": [],
        }
    ],
}

BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"type": "object"},
            "examples": {
                "documents": {
                    "summary": "documents with marked entities",
                    "value": {"documents": [DOCUMENT]},
                },
                "pmids": {"summary": "papers by id", "value": {"pmids": ["24259561"]}},
                "text": {"summary": "text", "value": {"text": f"{TITLE}. {ABSTRACT}"}},
                "bioc": {"summary": "BioC JSON, also PubTator 3's form", "value": BIOC},
            },
        },
        "text/x-pubtator": {"schema": {"type": "string"}, "example": PUBTATOR},
        "application/xml": {"schema": {"type": "string"}, "example": "<collection>…</collection>"},
        "application/x-ndjson": {"schema": {"type": "string"}, "example": '{"id": "101", …}'},
        "text/plain": {"schema": {"type": "string"}, "example": f"{TITLE}. {ABSTRACT}"},
        "text/x-pmids": {"schema": {"type": "string"}, "example": "24259561\nPMC7696669\n"},
    },
}

RESULT: dict[str, Any] = {
    "model": "the model's name",
    "counts": {"documents": 1, "pairs": 3, "relations": 1, "without_entities": 0},
    "left_out": {},
    "notes": [],
    "documents": [
        {
            "id": "101",
            "passages": [
                {"offset": 0, "text": TITLE, "type": "title"},
                {"offset": 40, "text": ABSTRACT, "type": "abstract"},
            ],
            "mentions": DOCUMENT["mentions"],
            "relations": [
                {
                    "id1": "D990002",
                    "id2": "9901",
                    "type": "Negative_Correlation",
                    "novelty": "Novel",
                    "score": 0.91,
                    "novelty_score": 0.84,
                }
            ],
        }
    ],
}


def error(code: str, message: str, remedy: str) -> dict[str, Any]:
    """An answer that is no result."""
    example = {"error": {"code": code, "message": message, "remedy": remedy}}
    return {
        "description": message,
        "content": {"application/json": {"schema": {"type": "object"}, "example": example}},
    }


ERRORS: dict[int | str, dict[str, Any]] = {
    413: error(
        "too_many_documents",
        "the body holds more than 1,000 documents; this server takes 1,000",
        "Send them in several requests",
    ),
    415: error(
        "unknown_content_type",
        "this service does not read 'image/png'",
        "Send one of: application/json, …",
    ),
    422: error(
        "bad_document",
        "line 3: document 101: mention 'ORFX1' at 16–22: the text there is 'ORFX1 '",
        "Correct the offsets (characters from 0, end exclusive)",
    ),
    429: error(
        "queue_full",
        "20,000 documents wait already",
        "Send this request again in 12 s, or send fewer documents at a time",
    ),
    503: error(
        "time_limit",
        "the request took longer than 300 s",
        "Send fewer documents at a time, or try again when the server is less busy",
    ),
}
