"""Bad input: one clear line with file, line and remedy, exit code 1, nothing half-written."""

from __future__ import annotations

import gzip
import io
import json
import sys
from types import SimpleNamespace

import pytest

from novelink.cli import main
from novelink.errors import DataError
from novelink.formats import ReadReport, read, write

GOOD = "1|t|BRCA1 in cancer.\n1|a|It matters.\n1\t0\t5\tBRCA1\tGene\t672\n"
LAST = "9|t|Aspirin helps.\n9|a|\n9\t0\t7\tAspirin\tChemical\tD001241\n"


def pubtator(*lines: str, before: str = GOOD, after: str = LAST) -> bytes:
    """A bad document, its title on line 5, between two good ones."""
    return "\n".join([before, *lines, "", after]).encode()


def annotation(start=0, length=5, text="BRCA1", kind="Gene", **infons):
    return {
        "id": "T1",
        "infons": {"type": kind, "identifier": "672", **infons},
        "text": text,
        "locations": [{"offset": start, "length": length}],
    }


def document(doc_id, *annotations, relations=(), **more):
    return {
        "id": doc_id,
        "infons": {},
        "passages": [
            {
                "offset": 0,
                "infons": {"type": "title"},
                "text": "BRCA1 in cancer.",
                "annotations": list(annotations),
            }
        ],
        "relations": list(relations),
        **more,
    }


def bioc_json(*bad: object) -> bytes:
    """Bad documents from line 3 on, one per line, between two good ones."""
    found = [document("1", annotation()), *bad, document("9", annotation())]
    lines = ",\n".join(item if isinstance(item, str) else json.dumps(item) for item in found)
    return f'{{"source": "x", "documents": [\n{lines}\n]}}'.encode()


def xml_document(doc_id, inner="", offset="0", text="BRCA1 in cancer.", end=""):
    return (
        f"<document><id>{doc_id}</id><passage><infon key='type'>title</infon>"
        f"<offset>{offset}</offset><text>{text}</text>{inner}</passage>{end}</document>\n"
    )


def xml_annotation(start=0, length=5, text="BRCA1", kind="Gene"):
    return (
        f"<annotation id='T1'><infon key='type'>{kind}</infon><infon key='identifier'>672</infon>"
        f"<location offset='{start}' length='{length}'/><text>{text}</text></annotation>"
    )


def bioc_xml(*bad: str, prolog: str = "") -> bytes:
    """Bad documents from line 3 on between two good ones."""
    good = [xml_document("1", xml_annotation()), xml_document("9", xml_annotation())]
    return (
        f"<?xml version='1.0'?>{prolog}<collection>\n{good[0]}{''.join(bad)}{good[1]}</collection>"
    ).encode()


def jsonl(*bad: object) -> bytes:
    """Bad documents from line 2 on between two good ones."""
    found = [{"id": "1", "text": "A."}, *bad, {"id": "9", "text": "B."}]
    return "\n".join(item if isinstance(item, str) else json.dumps(item) for item in found).encode()


def relation(**infons):
    return {"id": "R0", "infons": infons}


# name → (file name, bytes, line named, words of the message)
BAD_DOCUMENTS = {
    "offsets that miss the text": (
        "a.pubtator",
        pubtator("2|t|TP53 in cancer.", "2|a|", "2\t1\t5\tTP53\tGene\t7157"),
        7,
        "mention 'TP53' at 1–5: the text there is 'P53 '",
    ),
    "offsets outside the text": (
        "a.pubtator",
        pubtator("2|t|TP53.", "2|a|", "2\t90\t94\tTP53\tGene\t7157"),
        7,
        "lies outside the text of 6 characters",
    ),
    "end before start": (
        "a.pubtator",
        pubtator("2|t|TP53.", "2|a|", "2\t4\t0\tTP53\tGene\t7157"),
        7,
        "lies outside the text",
    ),
    "offsets that are no numbers": (
        "a.pubtator",
        pubtator("2|t|TP53.", "2|a|", "2\t-1\t4\tTP53\tGene\t7157"),
        7,
        "'-1' and '4' are no positions",
    ),
    "unknown entity type": (
        "a.pubtator",
        pubtator("2|t|TP53.", "2|a|", "2\t0\t4\tTP53\tProtein\t7157"),
        7,
        "unknown entity type 'Protein'",
    ),
    "unknown relation type": (
        "a.pubtator",
        pubtator("2|t|TP53.", "2|a|", "2\tRegulates\t1\t2\tNovel"),
        7,
        "unknown relation type 'Regulates'",
    ),
    "unknown novelty": (
        "a.pubtator",
        pubtator("2|t|TP53.", "2|a|", "2\tBind\t1\t2\tMaybe"),
        7,
        "unknown novelty 'Maybe'",
    ),
    "score above one": (
        "a.pubtator",
        pubtator("2|t|TP53.", "2|a|", "2\tBind|1.5\t1\t2\tNo"),
        7,
        "score '1.5' is no number from 0 to 1",
    ),
    "score that is no number": (
        "a.pubtator",
        pubtator("2|t|TP53.", "2|a|", "2\tBind|nan\t1\t2\tNo|0.5"),
        7,
        "score 'nan' is no number",
    ),
    "two scores": (
        "a.pubtator",
        pubtator("2|t|TP53.", "2|a|", "2\tBind|0.5\t1\t2\t0.4"),
        7,
        "two scores",
    ),
    "relation line of no dialect": (
        "a.pubtator",
        pubtator("2|t|TP53.", "2|a|", "2\tBind\t1\t\tNovel"),
        7,
        "fits no known dialect",
    ),
    "direction without a relation": (
        "a.pubtator",
        pubtator("2|t|TP53.", "2|a|", "2\t1\t2\tSubject:1"),
        7,
        "which have no relation here",
    ),
    "subject outside the pair": (
        "a.pubtator",
        pubtator("2|t|TP53.", "2|a|", "2\tBind\t1\t2\tNo", "2\t1\t2\tSubject:3"),
        8,
        "subject '3' is neither",
    ),
    "line of another document": (
        "a.pubtator",
        pubtator("2|t|TP53.", "2|a|", "3\t0\t4\tTP53\tGene\t7157"),
        7,
        "a line of '3' inside document 2",
    ),
    "second abstract": (
        "a.pubtator",
        pubtator("2|t|TP53.", "2|a|", "2|a|again"),
        7,
        "unexpected line '2|a|'",
    ),
    "line of prose": (
        "a.pubtator",
        pubtator("2|t|TP53.", "2|a|", "and the abstract goes on here"),
        7,
        "a line of 'and the abstract goes on here'",
    ),
    "duplicate id": (
        "a.pubtator",
        pubtator("1|t|TP53.", "1|a|", "1\t0\t4\tTP53\tGene\t7157"),
        5,
        "document 1 occurs twice",
    ),
    "broken UTF-8": (
        "a.pubtator",
        pubtator("2|t|TP53.", "2|a|caf§").replace("§".encode(), b"\xe9"),
        6,
        "not UTF-8 (byte 0xe9 at column 8)",
    ),
    "JSON offsets that miss the text": (
        "a.json",
        bioc_json(document("2", annotation(start=1))),
        3,
        "document 2: mention 'BRCA1' at 1–6: the text there is 'RCA1 '",
    ),
    "JSON unknown entity type": (
        "a.json",
        bioc_json(document("2", annotation(kind="Protein"))),
        3,
        "unknown entity type 'Protein'",
    ),
    "JSON annotation without a type": (
        "a.json",
        bioc_json(document("2", annotation(kind=None))),
        3,
        "annotation T1 without a type",
    ),
    "JSON duplicate id": ("a.json", bioc_json(document("1")), 3, "document 1 occurs twice"),
    "JSON document without an id": ("a.json", bioc_json(document(None)), 3, "without an id"),
    "JSON document without passages": ("a.json", bioc_json({"id": "2"}), 3, "without passages"),
    "JSON document that is a list": ("a.json", bioc_json([1]), 3, "without passages"),
    "JSON passage without an offset": (
        "a.json",
        bioc_json({"id": "2", "passages": [{"text": "A"}]}),
        3,
        "does not have the structure of BioC ('offset' is missing)",
    ),
    "JSON offset that is no number": (
        "a.json",
        bioc_json({"id": "2", "passages": [{"offset": 1.5, "text": "A"}]}),
        3,
        "'1.5' is no whole number",
    ),
    "JSON passages that overlap": (
        "a.json",
        bioc_json(
            {"id": "2", "passages": [{"offset": 0, "text": "AB"}, {"offset": 1, "text": "C"}]}
        ),
        3,
        "passage at offset 1 begins before the one before it ends (2)",
    ),
    "JSON relation without entities": (
        "a.json",
        bioc_json(document("2", relations=[relation(type="Bind", entity1="1")])),
        3,
        "relation R0 does not name two entities",
    ),
    "JSON relation without a type": (
        "a.json",
        bioc_json(document("2", relations=[relation(entity1="1", entity2="2")])),
        3,
        "relation R0 without a type",
    ),
    "JSON node that points nowhere": (
        "a.json",
        bioc_json(
            document(
                "2",
                annotation(),
                relations=[
                    {
                        "id": "R0",
                        "infons": {"type": "Bind"},
                        "nodes": [{"refid": "T1"}, {"refid": "T2"}],
                    }
                ],
            )
        ),
        3,
        "relation node 'T2' points at no annotation",
    ),
    "JSON evidence of another form": (
        "a.json",
        bioc_json(
            document(
                "2", relations=[relation(type="Bind", entity1="1", entity2="2", evidence="x-2:1")]
            )
        ),
        3,
        "evidence 'x-2:1' is not start-end:weight",
    ),
    "JSON half a surrogate pair": (
        "a.json",
        bioc_json({"id": "2", "passages": [{"offset": 0, "text": "\ud800"}]}),
        3,
        "half a surrogate pair",
    ),
    "JSON document of JSON Lines": (
        "a.json",
        bioc_json({"id": "2", "passages": [], "mentions": []}),
        3,
        "a document of JSON Lines and not of BioC",
    ),
    "XML offsets that miss the text": (
        "a.xml",
        bioc_xml(xml_document("2", xml_annotation(start=1))),
        3,
        "the text there is 'RCA1 '",
    ),
    "XML unknown entity type": (
        "a.xml",
        bioc_xml(xml_document("2", xml_annotation(kind="Protein"))),
        3,
        "unknown entity type 'Protein'",
    ),
    "XML duplicate id": ("a.xml", bioc_xml(xml_document("1")), 3, "document 1 occurs twice"),
    "XML document without an id": ("a.xml", bioc_xml(xml_document("")), 3, "without an id"),
    "XML offset that is no number": (
        "a.xml",
        bioc_xml(xml_document("2", offset="x")),
        3,
        "'x' is no whole number",
    ),
    "XML location without a length": (
        "a.xml",
        bioc_xml(xml_document("2", xml_annotation().replace(" length='5'", ""))),
        3,
        "'length' is missing",
    ),
    "JSON Lines broken line": ("a.jsonl", jsonl('{"id": "2"'), 2, "not a whole JSON object"),
    "JSON Lines line that is no object": ("a.jsonl", jsonl("[1]"), 2, "holds no JSON object"),
    "JSON Lines unknown key": (
        "a.jsonl",
        jsonl({"id": "2", "text": "A", "tilte": "B"}),
        2,
        "document: unknown key 'tilte'",
    ),
    "JSON Lines missing key": ("a.jsonl", jsonl({"id": "2"}), 2, "document without 'title'"),
    "JSON Lines wrong type of value": (
        "a.jsonl",
        jsonl({"id": "2", "passages": [{"offset": "0", "text": "A"}]}),
        2,
        "document 2: passage: 'offset' must be of type int",
    ),
    "JSON Lines boolean for a number": (
        "a.jsonl",
        jsonl({"id": "2", "passages": [{"offset": True, "text": "A"}]}),
        2,
        "'offset' must be of type int",
    ),
    "JSON Lines duplicate id": ("a.jsonl", jsonl({"id": "1", "text": "A"}), 2, "occurs twice"),
    "JSON Lines score out of range": (
        "a.jsonl",
        jsonl(
            {
                "id": "2",
                "text": "A",
                "relations": [{"id1": "a", "id2": "b", "type": "Bind", "score": -1}],
            }
        ),
        2,
        "score '-1' is no number from 0 to 1",
    ),
    "JSON Lines broken UTF-8": (
        "a.jsonl",
        jsonl('{"id": "2", "text": "§"}').replace("§".encode(), b"\xff"),
        2,
        "not UTF-8 (byte 0xff at column 22)",
    ),
    "JSON Lines too deep": ("a.jsonl", jsonl("[" * 100_000), 2, "not a whole JSON object"),
}

_BOMB = (
    '<!DOCTYPE collection [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)

# Nothing, or nothing after that place, can be read.
BAD_FILES = {
    "cut-off JSON": ("a.json", bioc_json(document("2"))[:-200], 4, "cut off inside a document"),
    "JSON cut off between documents": (
        "a.json",
        bioc_json().rpartition(b",\n")[0],
        2,
        "the JSON is cut off where ',' or ']' should follow",
    ),
    "JSON with a missing comma": (
        "a.json",
        bioc_json().replace(b",\n", b"\n"),
        3,
        "not JSON: '{' where ',' or ']' should stand",
    ),
    "JSON with a stray word": ("a.json", bioc_json("nil"), 3, "not JSON: Expecting value"),
    "JSON with a line break in a string": (
        "a.json",
        bioc_json('{"id": "a\nb", "passages": []' + " " * 100 + "}"),
        3,
        "not JSON: Invalid control character",
    ),
    "JSON too deep": ("a.json", bioc_json("[" * 100_000), 3, "nested too deeply"),
    "JSON broken UTF-8": (
        "a.json",
        bioc_json('{"id": "§"}').replace("§".encode(), b"\xff"),
        3,
        "not UTF-8 (byte 0xff)",
    ),
    "JSON that is a number": ("a.json", b"\n17\n", 2, "not JSON: '1'"),
    "empty JSON": ("a.json", b"", 1, "the JSON is cut off"),
    "cut-off XML": ("a.xml", bioc_xml(xml_document("2"))[:-150], 4, "the XML is cut off"),
    "XML cut off inside a tag": ("a.xml", bioc_xml()[:-5], 4, "the XML is cut off"),
    "empty XML": ("a.xml", b"", 1, "the XML is empty"),
    "XML with tags that do not match": (
        "a.xml",
        bioc_xml("<document></passage>"),
        3,
        "the XML is broken: mismatched tag",
    ),
    "XML with a bare ampersand": (
        "a.xml",
        bioc_xml(xml_document("2", text="A & B")),
        3,
        "the XML is broken: not well-formed",
    ),
    "XML with an undefined entity": (
        "a.xml",
        bioc_xml(
            xml_document("2", text="&beta;"), prolog='<!DOCTYPE collection SYSTEM "BioC.dtd">'
        ),
        3,
        "the XML is broken: undefined entity",
    ),
    "XML broken UTF-8": (
        "a.xml",
        bioc_xml(xml_document("2", text="§")).replace("§".encode(), b"\xff"),
        3,
        "not UTF-8 (byte 0xff)",
    ),
    "XML entity bomb": (
        "a.xml",
        bioc_xml(xml_document("2", text="&c;"), prolog=_BOMB),
        1,
        "the XML declares the entity 'a'",
    ),
    "XML external entity": (
        "a.xml",
        bioc_xml(
            xml_document("2", text="&x;"),
            prolog='<!DOCTYPE collection [<!ENTITY x SYSTEM "/etc/hostname">]>',
        ),
        1,
        "the XML declares the entity 'x'",
    ),
    "XML of another kind": (
        "a.bioc",
        b"<?xml version='1.0'?>\n<articles/>",
        2,
        "the root element is <articles>",
    ),
    "cut-off gzip PubTator": (
        "a.pubtator.gz",
        gzip.compress(GOOD.encode() * 1)[:-12],
        None,
        "cut off",
    ),
    "cut-off gzip JSON": ("a.json.gz", gzip.compress(bioc_json())[:-12], None, "cut off"),
    "cut-off gzip XML": ("a.xml.gz", gzip.compress(bioc_xml())[:-12], None, "cut off"),
    "damaged gzip": (
        "a.pubtator.gz",
        gzip.compress(GOOD.encode())[:-8] + b"\0" * 8,
        None,
        "the gzip file is damaged",
    ),
    "HTML page": (
        "a.json",
        b"\n<!DOCTYPE html>\n<html><head><title>Server busy</title></head></html>",
        1,
        "this is an HTML page titled 'Server busy' and no data",
    ),
    "HTML page named PubTator": ("a.pubtator", b"<html><body>404</body></html>", 1, "an HTML page"),
    "page of a blocked client": (
        "a.xml",
        b"<html><head><title>WWW Error Blocked Diagnostic</title></head></html>",
        1,
        "NCBI blocks the address that asked",
    ),
    "zip archive": ("a.json", b"PK\x03\x04rest", None, "this is a zip archive"),
    "file of no known format": ("a.dat", b"\x00\x01\x02", None, "tells the format"),
    "empty file of unknown format": ("a.dat", b"", None, "the input is empty"),
    "mention before any title": (
        "a.pubtator",
        b"1\t0\t5\tBRCA1\tGene\t672\n",
        1,
        "a line before any title line",
    ),
    "line ends of old": (
        "a.pubtator",
        GOOD.replace("\n", "\r").encode(),
        1,
        "lines end in a carriage return alone",
    ),
    "abstract without a title": ("a.pubtator", b"1|a|It matters.\n", 1, "before any title line"),
}


def run(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    return SimpleNamespace(code=stop.value.code or 0, **capsys.readouterr()._asdict())


def cases(table):
    return [pytest.param(row, id=name) for name, row in table.items()]


@pytest.mark.parametrize("case", cases(BAD_DOCUMENTS | BAD_FILES))
def test_convert_says_one_line_and_writes_nothing(case, tmp_path, capsys):
    """Exit code 1; the line names the file, the line and what is wrong; no file appears."""
    name, data, line, words = case
    source = tmp_path / name
    source.write_bytes(data)
    done = run(["convert", source, "-o", tmp_path / "out.jsonl"], capsys)
    assert done.code == 1
    assert done.out == ""
    place = str(source) if line is None else f"{source}:{line}: "
    assert done.err.startswith(f"novelink: {place}")
    assert words in done.err
    assert done.err.count("\n") == 1
    assert ". " in done.err.partition(words)[2]  # a remedy follows
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("case", cases(BAD_DOCUMENTS))
def test_lenient_leaves_the_bad_document_out_and_says_so(case, tmp_path, capsys):
    name, data, line, words = case
    source, target = tmp_path / name, tmp_path / "out.jsonl"
    source.write_bytes(data)
    done = run(["convert", "--lenient", source, "-o", target], capsys)
    assert done.code == 0
    assert "1 document skipped" in done.err
    assert f"{source}:{line}: " in done.err
    assert words in done.err
    assert [document.id for document in read(target)] == ["1", "9"]


@pytest.mark.parametrize(
    "case",
    [
        "cut-off JSON",
        "JSON with a missing comma",
        "JSON too deep",
        "JSON broken UTF-8",
        "cut-off XML",
        "XML with tags that do not match",
        "XML broken UTF-8",
    ],
)
def test_lenient_keeps_what_stood_before_a_break(case, tmp_path):
    """What follows the break cannot be read, and the report says that too."""
    name, data, line, _ = BAD_FILES[case]
    source = tmp_path / name
    source.write_bytes(data)
    report = ReadReport()
    ids = [document.id for document in read(source, lenient=True, report=report)]
    assert ids[0] == "1"
    assert "9" not in ids
    assert report.skipped == 1
    assert report.reasons[0].startswith(f"{source}:{line}: ")
    assert report.reasons[0].endswith("nothing after this place was read")


@pytest.mark.parametrize("name", ["a.pubtator.gz", "a.json.gz", "a.xml.gz", "a.jsonl.gz"])
def test_lenient_keeps_what_stood_before_the_end_of_a_cut_gzip(name, tmp_path):
    whole = [
        document
        for number in range(400)
        for document in read(io.BytesIO(f"{number}|t|{number * 7919} {number**5}.\n".encode()))
    ]
    source = tmp_path / name
    write(whole, source)
    source.write_bytes(source.read_bytes()[:-3000])
    report = ReadReport()
    found = list(read(source, lenient=True, report=report))
    assert 0 < len(found) < 400
    assert found == whole[: len(found)]
    assert report.skipped == 1
    with pytest.raises(DataError, match=r"gz:\d+: the gzip file is cut off"):
        list(read(source))


@pytest.mark.parametrize(
    "case", ["HTML page", "XML entity bomb", "JSON that is a number", "empty XML"]
)
def test_lenient_does_not_pass_off_a_wrong_file_as_an_empty_one(case, tmp_path):
    name, data, _, _ = BAD_FILES[case]
    source = tmp_path / name
    source.write_bytes(data)
    with pytest.raises(DataError):
        list(read(source, lenient=True))


@pytest.mark.parametrize("case", cases(BAD_DOCUMENTS))
def test_standard_input_gives_the_same_message(case, capsys, monkeypatch):
    """There the file is called <stdin>, and content alone tells the format."""
    _, data, line, words = case
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
    done = run(["convert", "-", "--to", "jsonl"], capsys)
    assert done.code == 1
    assert done.err.startswith(f"novelink: <stdin>:{line}: ")
    assert words in done.err


def test_ids_that_occur_in_two_files_are_a_fault(tmp_path, capsys):
    for name in ("a.pubtator", "b.pubtator"):
        (tmp_path / name).write_text(GOOD)
    done = run(
        ["convert", tmp_path / "a.pubtator", tmp_path / "b.pubtator", "-o", tmp_path / "out.json"],
        capsys,
    )
    assert done.code == 1
    assert f"{tmp_path / 'b.pubtator'}:1: document 1 occurs twice" in done.err
    assert not (tmp_path / "out.json").exists()


def test_an_old_output_survives_a_failed_run(tmp_path, capsys):
    target = tmp_path / "out.jsonl"
    target.write_text("as it was")
    (tmp_path / "a.pubtator").write_bytes(BAD_DOCUMENTS["unknown entity type"][1])
    assert run(["convert", tmp_path / "a.pubtator", "-o", target], capsys).code == 1
    assert target.read_text() == "as it was"


def test_a_missing_file_is_one_line(tmp_path, capsys):
    done = run(["convert", tmp_path / "none.json", "-o", tmp_path / "out.jsonl"], capsys)
    assert (done.code, done.err) == (
        1,
        f"novelink: {tmp_path / 'none.json'}: no such file. Check the path\n",
    )


def test_a_missing_folder_is_one_line(tmp_path, capsys):
    (tmp_path / "a.pubtator").write_text(GOOD)
    target = tmp_path / "no" / "out.jsonl"
    done = run(["convert", tmp_path / "a.pubtator", "-o", target], capsys)
    assert done.code == 1
    assert done.err == (
        f"novelink: {target}: cannot write: its folder does not exist. "
        f"Make it with: mkdir -p {tmp_path / 'no'}\n"
    )


def test_a_document_without_end_is_refused_within_bounds(tmp_path, monkeypatch):
    """A missing quotation mark must not draw the whole file into memory."""
    monkeypatch.setattr("novelink.formats.json_stream.LONGEST", 200_000)
    source = tmp_path / "a.json"
    source.write_text('{"documents": [{"id": "' + "x" * 1_000_000)
    with pytest.raises(DataError, match="a document of more than 200,000 characters"):
        list(read(source))
