"""The models that come along: whole, small enough, and as good as their files say."""

import json
import re
from pathlib import Path

import pytest

from novelink import Extractor, Mention, Relation, read, score
from novelink.annotate.tagger import Tagger
from novelink.runtime.bundle import EMBEDDED, default_name, embedded_names, load_bundle
from novelink.runtime.model_set import is_model_set
from novelink.schema import CHEMICAL, DISEASE, GENE, SPECIES, VARIANT

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
TEST = ROOT.parent / "shared" / "data" / "biored" / "Test.PubTator"
SUBJECTS = TEST.parents[1] / "biored-direction" / "test.pubtator"
LEVELS = ("pair", "type", "novelty", "all")
TAGGING = RESULTS / "tagging.json"
RELATION_MODELS = [
    name
    for name in embedded_names()
    if is_model_set(EMBEDDED / name) or load_bundle(name).reading != "tagger"
]


def result_of(name):
    return json.loads((RESULTS / f"quality-{name}-biored-test.json").read_text(encoding="utf-8"))


def test_the_default_is_one_of_the_models():
    assert default_name() in RELATION_MODELS


def test_every_shipped_file_is_below_forty_megabytes():
    for path in EMBEDDED.rglob("*"):
        assert not path.is_file() or path.stat().st_size < 40_000_000, path


def test_the_encoder_to_train_from_has_a_card_and_safe_weights():
    folder = EMBEDDED / "encoder"
    if not folder.is_dir():
        pytest.skip("the encoder comes with a clone, not with an installed wheel")
    assert {path.name for path in folder.iterdir()} == {
        "README.md",
        "config.json",
        "model.safetensors",
        "pretraining.json",
        "tokenizer.json",
    }


@pytest.mark.parametrize("name", RELATION_MODELS)
def test_a_card_says_what_the_results_file_says(name):
    card = (EMBEDDED / name / "README.md").read_text(encoding="utf-8")
    scores = result_of(name)["scores"]
    for level in LEVELS:
        row = re.search(rf"^\| {level} \|(.*)$", card, re.MULTILINE).group(1)
        assert float(row.split("|")[1]) == pytest.approx(100 * scores[level]["f1"], abs=0.051)


@pytest.mark.parametrize("name", RELATION_MODELS)
def test_a_model_is_far_better_than_calling_every_pair_a_novel_association(name):
    result = result_of(name)
    trivial = result["all pairs as novel associations"]
    for level in LEVELS:
        # The lower end of the interval, not only the figure itself.
        assert result["scores"]["intervals"]["f1"][level][0] > 1.3 * trivial[level]["f1"]


@pytest.mark.parametrize("name", RELATION_MODELS)
def test_the_kept_predictions_give_the_kept_scores(name):
    """Anyone with the corpus can score the predictions in the results file again."""
    if not TEST.exists():
        pytest.skip("BioRED Test is not beside the project")
    result = result_of(name)
    gold = list(read(TEST))
    predicted = [
        # Up to the scores, and the subject where it was judged.
        document.with_relations(Relation(*kept) for kept in result["predictions"][document.id])
        for document in gold
    ]
    found = score(gold, predicted, resamples=0)
    for level in LEVELS:
        assert found[level].f1 == pytest.approx(result["scores"][level]["f1"])
    if result["scores"]["direction"] is not None and SUBJECTS.exists():
        with_subjects = list(read(SUBJECTS))
        assert [one.id for one in with_subjects] == [one.id for one in gold]
        acting = score(with_subjects, predicted, resamples=0).direction
        wanted = result["scores"]["direction"]
        assert (acting.judged, acting.named, acting.right) == tuple(
            wanted[key] for key in ("judged", "named", "right")
        )


@pytest.mark.parametrize("name", RELATION_MODELS)
def test_a_shipped_model_reads_the_examples(name):
    """Scores are rounded and processors differ a little, so only what is plain is asked."""
    extractor = Extractor.load(name)
    found = list(extractor.extract(read(ROOT / "examples" / "abstracts.pubtator")))
    metformin = list(extractor.extract(read(ROOT / "examples" / "abstracts.json")))
    assert all(document.relations for document in [*found, *metformin])
    assert extractor.report.documents == len(metformin)
    for document in [*found, *metformin]:
        for relation in document.relations:
            assert relation.novelty in {"Novel", "No"}
            assert 0 < relation.score <= 1


def test_the_taggers_card_says_what_the_results_file_says():
    results = json.loads(TAGGING.read_text(encoding="utf-8"))
    card = load_bundle("tagger").folder.joinpath("README.md").read_text(encoding="utf-8")
    for kind, one in results["BioRED Test"]["scores"].items():
        cells = re.search(rf"^\| {kind} \|(.*)$", card, re.MULTILINE).group(1).split("|")
        assert float(cells[0]) == pytest.approx(
            results["BioRED Dev"]["scores"][kind]["f1"], abs=0.051
        )
        assert float(cells[3]) == pytest.approx(one["f1"], abs=0.051)


def test_the_taggers_kept_mentions_give_its_kept_scores():
    if not TEST.exists():
        pytest.skip("BioRED Test is not beside the project")
    result = json.loads(TAGGING.read_text(encoding="utf-8"))["BioRED Test"]
    right = found = gold = 0
    for document in read(TEST):
        kept = {
            (start, end, result["types"][kind])
            for start, end, kind in result["mentions"][document.id]
        }
        wanted = {(one.start, one.end, one.type) for one in document.mentions}
        right, found, gold = right + len(kept & wanted), found + len(kept), gold + len(wanted)
    assert 200 * right / (found + gold) == pytest.approx(result["scores"]["all"]["f1"], abs=0.006)


def test_the_tagger_finds_the_entities_of_the_example():
    """What is plain to any reader, whatever the processor's rounding."""
    (document,) = Tagger.load().tag(read(ROOT / "examples" / "notes.txt"))
    assert {(one.text, one.type) for one in document.mentions} >= {
        ("Metformin", CHEMICAL),
        ("interleukin-6", GENE),
        ("IL-6", GENE),
        ("women", SPECIES),
        ("breast cancer", DISEASE),
        ("PIK3CA", GENE),
        ("H1047R", VARIANT),
    }


def test_what_was_found_in_plain_text_gives_the_kept_scores():
    """From text to relations: anyone with the corpus can score the results file again."""
    if not TEST.exists():
        pytest.skip("BioRED Test is not beside the project")
    results = json.loads((RESULTS / "end-to-end-biored-test.json").read_text(encoding="utf-8"))
    gold = list(read(TEST))
    for models in results["quality"].values():
        for kept in models.values():
            found = [
                rebuilt(document, kept["predictions"][document.id], results["types"])
                for document in gold
            ]
            scores = score(gold, found, resamples=0, end_to_end=True)
            for level in LEVELS:
                assert scores[level].f1 == pytest.approx(kept["relations"][level]["f1"])
            for step, counts in scores.entities.overall.items():
                assert counts.f1 == pytest.approx(kept["entities"][step]["f1"])


def rebuilt(document, found, types):
    """A document with what a results file says was found in it."""
    mentions = [
        Mention(
            start, end, document.text[start:end], types[kind], tuple(filter(None, ids.split(",")))
        )
        for start, end, kind, ids in found["mentions"]
    ]
    relations = [
        Relation(id1, id2, kind, novelty=novelty, score=sure)
        for id1, id2, kind, novelty, sure in found["relations"]
    ]
    return document.with_mentions(mentions).with_relations(relations)
