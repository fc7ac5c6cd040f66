"""Small dumps of our own in the forms of the official ones, and an index made from them."""

from __future__ import annotations

import gzip

import pytest

from novelink.annotate.lexicon import Lexicon, Sources, build_lexicon

GENE_HEAD = (
    "#tax_id\tGeneID\tSymbol\tLocusTag\tSynonyms\tdbXrefs\tchromosome\tmap_location\tdescription\t"
    "type_of_gene\tSymbol_from_nomenclature_authority\tFull_name_from_nomenclature_authority\t"
    "Nomenclature_status\tOther_designations\tModification_date\tFeature_type"
)


def gene(taxon, number, symbol, synonyms="-", description="-", *, kind="protein-coding"):
    return (
        f"{taxon}\t{number}\t{symbol}\t-\t{synonyms}\t-\t1\t-\t{description}\t{kind}\t{symbol}\t"
        f"{description}\tO\t-\t20250101\t-"
    )


GENES = [
    gene(9606, 7124, "TNF", "DIF|TNF-alpha|TNFA", "tumor necrosis factor"),
    gene(10090, 21926, "Tnf", "TNF-alpha|Tnfa", "tumor necrosis factor"),
    gene(9606, 6794, "STK11", "LKB1|PJS", "serine/threonine kinase 11"),
    gene(10090, 20869, "Stk11", "-", "serine/threonine kinase 11"),
    gene(9606, 673, "BRAF", "BRAF1", "B-Raf proto-oncogene, serine/threonine kinase"),
    gene(9606, 1029, "CDKN2A", "ARF|p14|p16", "cyclin dependent kinase inhibitor 2A"),
    gene(9606, 11102, "RPP14", "P14", "ribonuclease P/MRP subunit p14"),
    gene(9606, 836, "CASP3", "CPP32", "caspase 3"),
    gene(9606, 834, "CASP1", "ICE", "caspase 1"),
    gene(9606, 100130, "TNFP1", "TNF-alpha", "TNF pseudogene", kind="pseudo"),
    gene(7227, 31151, "arm", "TNF-alpha", "armadillo"),
    gene(4081, 543735, "rin", "-", "ripening inhibitor"),
]

MESH_XML = """<?xml version="1.0"?>
<DescriptorRecordSet LanguageCode="eng">
<DescriptorRecord><DescriptorUI>D001241</DescriptorUI>
<DescriptorName><String>Aspirin</String></DescriptorName>
<TreeNumberList><TreeNumber>D02.455.426</TreeNumber></TreeNumberList>
<ConceptList><Concept><TermList>
<Term><String>Aspirin</String></Term><Term><String>Acetylsalicylic Acid</String></Term>
</TermList></Concept></ConceptList></DescriptorRecord>
<DescriptorRecord><DescriptorUI>D001943</DescriptorUI>
<DescriptorName><String>Breast Neoplasms</String></DescriptorName>
<TreeNumberList><TreeNumber>C04.588.180</TreeNumber></TreeNumberList>
<ConceptList><Concept><TermList>
<Term><String>Breast Neoplasms</String></Term><Term><String>Cancer, Breast</String></Term>
</TermList></Concept></ConceptList></DescriptorRecord>
<DescriptorRecord><DescriptorUI>D001132</DescriptorUI>
<DescriptorName><String>Arm</String></DescriptorName>
<TreeNumberList><TreeNumber>A01.378.800</TreeNumber></TreeNumberList>
</DescriptorRecord>
</DescriptorRecordSet>
"""

MESH_SUPPLEMENT_XML = """<?xml version="1.0"?>
<SupplementalRecordSet LanguageCode="eng">
<SupplementalRecord SCRClass="1"><SupplementalRecordUI>C029036</SupplementalRecordUI>
<SupplementalRecordName><String>crocin</String></SupplementalRecordName>
<ConceptList><Concept><TermList><Term><String>crocine</String></Term></TermList></Concept>
</ConceptList></SupplementalRecord>
<SupplementalRecord SCRClass="3"><SupplementalRecordUI>C538288</SupplementalRecordUI>
<SupplementalRecordName><String>10p deletion syndrome</String></SupplementalRecordName>
</SupplementalRecord>
<SupplementalRecord SCRClass="2"><SupplementalRecordUI>C000001</SupplementalRecordUI>
<SupplementalRecordName><String>ABVD protocol</String></SupplementalRecordName>
</SupplementalRecord>
</SupplementalRecordSet>
"""

MESH_ASCII = """*NEWRECORD
RECTYPE = D
MH = Calcium
ENTRY = Blood Coagulation Factor IV|T109|T123|NON|EQV
MN = D01.268.552.100
UI = D002118

*NEWRECORD
RECTYPE = D
MH = Hypertension
ENTRY = Blood Pressure, High|T047|NON|EQV
MN = C14.907.489
UI = D006973
"""

DISEASES = """# Fields:
# DiseaseName\tDiseaseID\tAltDiseaseIDs\tDefinition\tParentIDs\tTreeNumbers\t…
Diabetes Mellitus\tMESH:D003920\t\t\t\tC18\tC18\tDiabetes\t
Diabetic Neuropathies\tMESH:D003929\t\t\t\tC10\tC10\tDiabetic Neuropathy\t
Breast Neoplasms\tMESH:D001943\t\t\t\tC04\tC04\tBreast Cancer|Mammary Carcinoma, Human\t
Ataxia Telangiectasia\tMESH:D001260\t\t\t\tC10\tC10\tLouis-Bar Syndrome\t
Obesity\tMESH:D009765\t\t\t\tC18\tC18\t\t
Obesity\tOMIM:601665\t\t\t\t\t\tLEANNESS, INCLUDED\t
Ovarian Neoplasms\tMESH:D010051\t\t\t\tC04\tC04\tOvarian Cancer\t
Thyroid Carcinoma, Anaplastic\tMESH:D065646\t\t\t\tC04\tC04\tAnaplastic Thyroid Cancer\t
Seizures\tMESH:D012640\tOMIM:121200\t\t\tC10\tC10\tConvulsions\t
"""

NAMES_DMP = """1\t|\troot\t|\t\t|\tscientific name\t|
562\t|\tEscherichia coli\t|\t\t|\tscientific name\t|
562\t|\tBacillus coli\t|\t\t|\tsynonym\t|
562\t|\tATCC 11775\t|\t\t|\ttype material\t|
10090\t|\tMus musculus\t|\t\t|\tscientific name\t|
11676\t|\tHuman immunodeficiency virus 1\t|\t\t|\tscientific name\t|
11676\t|\tHIV-1\t|\t\t|\tacronym\t|
"""

CELLOSAURUS = """----
CELLOSAURUS: a cell line knowledge resource
----
ID   HeLa
AC   CVCL_0030
SY   HELA; He La
OX   NCBI_TaxID=9606; ! Homo sapiens (Human)
//
ID   RAW 264.7
AC   CVCL_0493
SY   RAW264.7
OX   NCBI_TaxID=10090; ! Mus musculus (Mouse)
//
"""


@pytest.fixture(scope="session")
def dumps(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dumps")
    with gzip.open(folder / "gene_info.gz", "wt", encoding="utf-8") as file:
        file.write("\n".join([GENE_HEAD, *GENES]) + "\n")
    for name, text in {
        "desc.xml": MESH_XML,
        "supp.xml": MESH_SUPPLEMENT_XML,
        "d.bin": MESH_ASCII,
        "CTD_diseases.tsv": DISEASES,
        "names.dmp": NAMES_DMP,
        "cellosaurus.txt": CELLOSAURUS,
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def sources(dumps):
    return Sources(
        genes=[dumps / "gene_info.gz"],
        mesh=[dumps / "desc.xml", dumps / "supp.xml", dumps / "d.bin"],
        diseases=[dumps / "CTD_diseases.tsv"],
        species=[dumps / "names.dmp"],
        cells=[dumps / "cellosaurus.txt"],
    )


@pytest.fixture(scope="session")
def lexicon(sources, tmp_path_factory):
    folder = tmp_path_factory.mktemp("index") / "lexicon"
    build_lexicon(sources, folder)
    return Lexicon.open(folder)
