"""Mentions into concept ids, with a lexicon and without."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novelink.annotate.linking import Linker, link
from novelink.annotate.linking.local import local_id
from novelink.annotate.linking.queries import variants_of
from novelink.document import Document, Mention
from novelink.pairs import expand_ids
from novelink.schema import BIORED, CELL_LINE, CHEMICAL, DISEASE, GENE, SPECIES, VARIANT


def marked(text, title="", doc_id="1"):
    """``[TNF|gene] rose`` as a document with mentions."""
    types = {
        "gene": GENE,
        "disease": DISEASE,
        "chemical": CHEMICAL,
        "variant": VARIANT,
        "species": SPECIES,
        "cell": CELL_LINE,
    }
    parts, mentions, position = [], [], 0
    for piece in re.split(r"(\[[^|\]]+\|\w+\])", text):
        found = re.fullmatch(r"\[([^|\]]+)\|(\w+)\]", piece)
        shown = found[1] if found else piece
        if found:
            start = len(title) + 1 + position
            mentions.append(Mention(start, start + len(shown), shown, types[found[2]]))
        parts.append(shown)
        position += len(shown)
    return Document.from_text(doc_id, title, "".join(parts), mentions=mentions)


def linked(text, lexicon):
    [document] = link([marked(text)], lexicon)
    return [",".join(mention.concept_ids) for mention in document.mentions]


def test_genes_take_the_organism_that_the_text_is_about(lexicon):
    assert linked("[TNF-alpha|gene] in [patients|species].", lexicon) == ["7124", "9606"]
    assert linked("[TNF-alpha|gene] in [mice|species].", lexicon) == ["21926", "10090"]
    assert linked("[TNF-alpha|gene] rose.", lexicon) == ["7124"]


def test_the_organism_right_before_a_gene_counts_most(lexicon):
    text = "In [patients|species] and [patients|species], [mouse|species] [Tnf|gene] was used."
    assert linked(text, lexicon)[-1] == "21926"


def test_a_cell_line_speaks_for_its_organism(lexicon):
    assert linked("[RAW 264.7|cell] made [TNF-alpha|gene].", lexicon) == ["CVCL_0493", "21926"]


def test_a_synonym_listed_for_another_organism_finds_the_ortholog(lexicon):
    """LKB1 is a synonym of human STK11 only; a text on mice means mouse Stk11."""
    text = "[Mice|species] without [LKB1|gene]; such [mice|species] lived."
    assert linked(text, lexicon)[1] == "20869"


def test_organisms_that_nothing_speaks_for_and_pseudogenes_are_not_taken(lexicon):
    """TNF-alpha is also a name of a fly gene and of a pseudogene here."""
    assert linked("[TNF-alpha|gene]", lexicon) == ["7124"]


def test_of_namesakes_the_one_whose_other_names_the_text_has(lexicon):
    assert linked("[p14|gene], a subunit of ribonuclease P.", lexicon) == ["11102"]
    assert linked("[p14|gene], a cyclin dependent kinase inhibitor.", lexicon) == ["1029"]


def test_abbreviations_are_looked_up_by_their_long_forms(lexicon):
    text = "[Ataxia telangiectasia|disease] ([AT|disease]) is rare. [AT|disease] cells died."
    assert linked(text, lexicon) == ["D001260"] * 3


def test_an_abbreviation_is_not_taken_for_a_namesake_of_another_sense(lexicon):
    """ICE is a synonym of CASP1, but here it stands for something that is not in the lexicon."""
    text = "[Ivory coast enzyme|gene] ([ICE|gene]) was cloned."
    first, second = linked(text, lexicon)
    assert first == second
    assert first.startswith("text:")


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("[breast cancers|disease]", "D001943"),
        ("[mammary carcinoma|disease]", "D001943"),
        ("[diabetic|disease]", "D003920"),
        ("[obesity|disease]", "D009765"),
        ("[seizures|disease]", "D012640"),
        ("[severe ataxia-telangiectasia|disease]", "D001260"),
        ("[Ca2+|chemical]", "D002118"),
        ("[aspirin|chemical]", "D001241"),
        ("[caspases|gene]", "834"),
        ("[anti-TNF-alpha|gene]", "7124"),
        ("[BRAF gene|gene]", "673"),
        ("[E. coli|species]", "562"),
        ("[nude mice|species]", "10090"),
        ("[HeLa cells|cell]", "CVCL_0030"),
        ("[V600E|variant]", "p|SUB|V|600|E"),
    ],
)
def test_other_forms_of_a_name_are_found(lexicon, text, concept):
    assert linked(text, lexicon) == [concept]


def test_scores_are_kept_and_exact_names_are_surer_than_similar_ones(lexicon):
    [document] = link([marked("[aspirin|chemical]; [tumour of breast|disease]")], lexicon)
    kept = json.loads(dict(document.infons)["linking"])
    assert kept["lexicon"] is True
    assert 0 < kept["ids"]["D001943"] < kept["ids"]["D001241"] <= 1


def test_given_ids_stay_unless_told_otherwise(lexicon):
    document = marked("[aspirin|chemical]").with_mentions(
        [Mention(1, 8, "aspirin", CHEMICAL, ("MINE",))]
    )
    assert Linker(lexicon).link_document(document).mentions[0].concept_ids == ("MINE",)
    replaced = Linker(lexicon, overwrite=True).link_document(document)
    assert replaced.mentions[0].concept_ids == ("D001241",)


def test_without_a_lexicon_each_name_is_one_entity():
    text = (
        "[Nitric oxide|chemical] ([NO|chemical]) and [nitric oxides|chemical]; [insulin|gene]. "
        "[NO|chemical] and [Insulin|gene]. [V600E|variant] is [p.Val600Glu|variant]."
    )
    assert linked(text, None) == [
        *["text:nitric_oxide"] * 3,
        "text:insulin",
        "text:nitric_oxide",
        "text:insulin",
        *["p|SUB|V|600|E"] * 2,
    ]


def test_the_report_says_that_ids_are_local():
    linker = Linker()
    [document] = linker.link([marked("[insulin|gene]")])
    assert json.loads(dict(document.infons)["linking"]) == {"lexicon": False, "ids": {}}
    assert any("local ids" in line for line in linker.report.lines())


def test_one_local_id_never_has_two_types():
    """Otherwise pairs of the document would be of the wrong types."""
    found = linked("[insulin|gene] and [insulin|chemical]", None)
    assert found == ["text:insulin", "text:insulin:chemical"]


def test_linking_twice_gives_the_same(lexicon):
    document = marked("[TNF-alpha|gene] in [mice|species] with [diabetic neuropathy|disease].")
    assert list(link([document], lexicon)) == list(link([document], lexicon))


_TEXTS = st.text(min_size=1, max_size=20)


@given(st.lists(st.tuples(_TEXTS, st.sampled_from(BIORED.entity_types)), max_size=5))
def test_every_mention_gets_an_id_that_formats_can_hold(lexicon, pieces):
    text, mentions = "", []
    for piece, kind in pieces:
        mentions.append(Mention(len(text) + 1, len(text) + 1 + len(piece), piece, kind))
        text += piece + " "
    document = Document.from_text("1", "", text, mentions=mentions)
    for lookup in (lexicon, None):
        [result] = link([document], lookup)
        for mention in result.mentions:
            [concept] = mention.concept_ids
            assert expand_ids(concept) == (concept,)


@given(_TEXTS)
def test_local_ids_have_no_separators(text):
    assert re.fullmatch(r"text:[^\s,;|@]+", local_id(text, {}, GENE))


def test_genes_spelled_as_those_of_mice_are_theirs_where_no_organism_is_named(lexicon):
    text = "[Tnf|gene], [Stk11|gene], [Sox2|gene], [Gata6|gene] and [Nanog1|gene] fell"
    assert linked(text + ".", lexicon)[1] == "20869"
    # An organism that has no genes here tells nothing, one that has them does.
    assert linked(text + " in [yeast|species].", lexicon)[1] == "20869"
    assert linked(text + " in [patients|species].", lexicon)[1] == "6794"


def test_what_a_lexicon_does_not_know_gets_no_id_if_only_the_known_is_wanted(lexicon):
    document = marked("[BRAF|gene] and [orfx|gene] in [breast cancer|disease].")
    linker = Linker(lexicon, known_only=True)
    found = linker.link_document(document)
    assert [one.concept_ids for one in found.mentions] == [("673",), (), ("D001943",)]
    assert list(linker.report.lines()) == ["2 mentions linked, 1 not found and left without ids"]
    # Without a lexicon nothing would be left.
    assert all(one.concept_ids for one in Linker(known_only=True).link_document(document).mentions)


def test_one_linker_counts_right_for_many_threads(lexicon):
    linker = Linker(lexicon)
    documents = [marked("[BRAF|gene] and [orfx|gene].", doc_id=str(one)) for one in range(40)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(linker.link_document, documents))
    assert [one.id for one in found] == [one.id for one in documents]
    assert (linker.report.documents, linker.report.linked.total()) == (40, 40)
    assert linker.report.local.total() == 40


@pytest.mark.parametrize(
    ("kind", "text", "first"),
    [
        ("disease", "renal damage", "renal diseases"),
        ("disease", "Nephrotoxicity", "kidney diseases"),
        ("disease", "damage", "damage"),
        ("chemical", "Ca(2+)", "calcium"),
        ("chemical", "glutamate", "glutamic acid"),
        ("chemical", "sodium phosphate", "sodium phosphate"),
        ("gene", "glutamate", "glutamate"),
    ],
)
def test_what_annotators_mean_by_a_name_is_looked_up_first(kind, text, first):
    forms = list(variants_of(kind, text))
    assert forms[0] == (first, 1.0)
    assert (text, 1.0) in forms
    assert len({form for form, _ in forms}) == len(forms)
