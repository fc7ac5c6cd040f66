"""Variants in words and HGVS into one form, and one id for one change in a document."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novelink.annotate.variants import normal_form, variant_ids
from novelink.annotate.variants.residues import AMINO_ACIDS
from novelink.document import Mention
from novelink.schema import VARIANT


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("rs113488022", "rs113488022"),
        ("rs 113488022", "rs113488022"),
        ("RS#113488022", "rs113488022"),
        ("V600E", "p|SUB|V|600|E"),
        ("p.V600E", "p|SUB|V|600|E"),
        ("p.Val600Glu", "p|SUB|V|600|E"),
        ("p.(Val600Glu)", "p|SUB|V|600|E"),
        ("Val-600-Glu", "p|SUB|V|600|E"),
        ("Val600-->Glu", "p|SUB|V|600|E"),
        ("valine to glutamic acid at codon 600", "p|SUB|V|600|E"),
        ("valine 600 to glutamate", "p|SUB|V|600|E"),
        ("Val to Glu substitution at amino acid 600", "p|SUB|V|600|E"),
        ("glutamate for valine at position 600", "p|SUB|V|600|E"),
        ("V600*", "p|SUB|V|600|X"),
        ("Trp492Ter", "p|SUB|W|492|X"),
        ("C677T", "c|SUB|C|677|T"),
        ("p.C677T", "p|SUB|C|677|T"),
        ("c.1094C>T", "c|SUB|C|1094|T"),
        ("677C>T", "c|SUB|C|677|T"),
        ("677 C to T", "c|SUB|C|677|T"),
        ("-511C/T", "c|SUB|C|-511|T"),
        ("g.3318-6T>A", "g|SUB|T|3318-6|A"),
        ("G-->C substitution at position 135", "c|SUB|G|135|C"),
        ("IVS3+1G>A", "c|SUB|G|IVS3+1|A"),
        ("c.737delC", "c|DEL|737|C"),
        ("c.640_667del28", "c|DEL|640_667|28"),
        ("1782-83delAG", "c|DEL|1782_1783|AG"),
        ("-134delA", "c|DEL|-134|A"),
        ("del642T", "c|DEL|642|T"),
        ("24 bp deletion", "c|DEL||24"),
        ("deletion of C at nucleotide 888", "c|DEL|888|C"),
        ("c.125_126insAA", "c|INS|125_126|AA"),
        ("899dupC", "c|DUP|899|C|"),
        ("p.Phe508del", "p|DEL|508|F"),
        ("p.Pro246HisfsX13", "p|FS|P|246|H|13"),
        ("R58fs", "p|FS|R|58||"),
        ("arginine 714", "p|Allele|R|714"),
        ("G > C", "c|SUB|G||C"),
    ],
)
def test_one_form_for_each_way_of_writing(text, form):
    assert normal_form(text) == form


@pytest.mark.parametrize("text", ["polymorphism", "allele", "mutations in exon 3", "", "42"])
def test_what_names_no_change_has_no_form(text):
    assert normal_form(text) is None


_RESIDUES = st.sampled_from(
    [
        (letter, name)
        for letter, names in AMINO_ACIDS.items()
        if letter not in "XU"
        for name in names
    ]
)


@given(_RESIDUES, st.integers(1, 5000), _RESIDUES)
def test_all_names_of_a_residue_give_one_form(old, position, new):
    wanted = f"p|SUB|{old[0]}|{position}|{new[0]}"
    assert normal_form(f"p.{old[0]}{position}{new[0]}") == wanted
    assert normal_form(f"{old[1]} to {new[1]} at codon {position}") == wanted


@given(st.text(max_size=40))
def test_any_text_is_taken(text):
    assert normal_form(text) is None or normal_form(text)


def document(text, *names):
    mentions, position = [], 0
    for name in names:
        start = text.index(name, position)
        position = start + len(name)
        mentions.append(Mention(start, position, name, VARIANT))
    return mentions


def test_an_rs_number_beside_a_variant_is_its_id():
    text = "The R620W variant (rs2476601) was typed. R620W carriers; the I157T allele."
    mentions = document(text, "R620W", "rs2476601", "R620W", "I157T")
    text = text.replace("variant ", "")
    mentions = document(text, "R620W", "rs2476601", "R620W", "I157T")
    found = variant_ids(mentions, text)
    assert [found[mention] for mention in mentions] == [
        "rs2476601",
        "rs2476601",
        "rs2476601",
        "p|SUB|I|157|T",
    ]


def test_a_list_of_variants_is_no_apposition():
    text = "We typed R620W, rs2476601 and V600E."
    mentions = document(text, "R620W", "rs2476601", "V600E")
    found = variant_ids(mentions, text)
    assert found[mentions[0]] == "p|SUB|R|620|W"


def test_an_allele_takes_the_id_of_the_full_change_at_its_place():
    text = "Ser326Cys was found. Cys326 carriers and 326 Cys homozygotes; Arg399 carriers."
    mentions = document(text, "Ser326Cys", "Cys326", "326 Cys", "Arg399")
    found = variant_ids(mentions, text)
    assert [found[mention] for mention in mentions] == [
        "p|SUB|S|326|C",
        "p|SUB|S|326|C",
        "p|SUB|S|326|C",
        "p|Allele|R|399",
    ]


def test_two_changes_at_one_place_leave_an_allele_alone():
    text = "G12D and G12V; Gly12 was wild type."
    mentions = document(text, "G12D", "G12V", "Gly12")
    assert variant_ids(mentions, text)[mentions[2]] == "p|Allele|G|12"
