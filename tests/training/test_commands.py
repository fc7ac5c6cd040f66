"""``novelink train``, ``export`` and ``pretrain`` from the command line."""

from __future__ import annotations

import json
import signal
from functools import partial
from pathlib import Path

import pytest

from command_line import run_command
from novelink.formats import read, write


@pytest.fixture
def novelink(capfd):
    """Run ``novelink ARGUMENTS`` and give exit code, stdout and stderr."""
    return partial(run_command, capfd)


@pytest.fixture
def config(tmp_path, encoder_folder, make_documents):
    """A settings file of a short run with its corpora beside it."""
    write(make_documents(16, seed=1), tmp_path / "train.pubtator")
    write(make_documents(8, seed=2, first=100), tmp_path / "dev.pubtator")
    path = tmp_path / "run.toml"
    path.write_text(
        f"""
output = "{tmp_path}/run"
name = "from-a-file"
[data]
train = "{tmp_path}/train.pubtator"
dev = "{tmp_path}/dev.pubtator"
[encoder]
name = "{encoder_folder}"
[model]
max_length = 64
[optim]
epochs = 1
batch_tokens = 256
precision = "fp32"
threads = 1
""",
        encoding="utf-8",
    )
    return path


def test_train_export_extract(novelink, config, tmp_path):
    """Three commands from a corpus to relations; results on stdout, the rest on stderr."""
    trained = novelink("train", config, "--set", "optim.rate=2e-3")
    assert trained.code == 0, trained.err
    result = json.loads(trained.out)
    assert result["model"] == str(tmp_path / "run" / "best")
    assert set(result["dev"]) == {"pair", "type", "novelty", "all"}
    assert "Dev F1" in trained.err
    # Reports and progress bars of the libraries below are noise to a user.
    assert "Loading weights" not in trained.err
    assert "LOAD REPORT" not in trained.err
    exported = novelink(
        "export", result["model"], "-o", tmp_path / "model", "--precision", "fp32", "--name", "mine"
    )
    assert exported.code == 0, exported.err
    assert exported.out == ""
    assert "fp32, graph within" in exported.err
    info = json.loads(novelink("models", "info", tmp_path / "model", "--json").out)
    assert info["name"] == "mine"
    out = tmp_path / "found.pubtator"
    extracted = novelink(
        *("extract", tmp_path / "dev.pubtator", "-o", out, "-m", tmp_path / "model"),
        *("--min-score", "0"),
    )
    assert extracted.code == 0, extracted.err
    found = list(read(out))
    assert [len(document.relations) for document in found] == [1] * 8


def test_the_same_command_again_changes_nothing(novelink, config, tmp_path):
    first = novelink("train", config)
    again = novelink("train", config)
    assert again.code == 0
    assert again.out == first.out


def test_documents_on_both_sides_are_warned_of(novelink, config, tmp_path):
    done = novelink("train", config, "--set", f"data.dev={tmp_path}/train.pubtator")
    assert "16 of 16 Dev documents are also among the training documents" in done.err


def test_another_output_folder(novelink, config, tmp_path):
    done = novelink("train", config, "-o", tmp_path / "else where")
    assert done.code == 0, done.err
    assert (tmp_path / "else where" / "best" / "model.safetensors").is_file()


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        (["optim.epoch=2"], 2, "unknown setting"),
        (["data.train="], 2, "Set data.train"),
        (["data.train=nowhere.pubtator"], 1, "nowhere.pubtator"),
        (["encoder.name=./nowhere"], 1, "there is no encoder folder './nowhere'"),
        (["tasks.main=typing"], 2, "relation, novelty"),
    ],
)
def test_mistakes_end_with_one_line(novelink, config, changes, code, message):
    arguments = [part for change in changes for part in ("--set", change)]
    done = novelink("train", config, *arguments)
    assert done.code == code
    assert message in done.err
    assert "Traceback" not in done.err
    assert done.out == ""


def test_export_of_a_folder_that_is_no_run(novelink, tmp_path):
    done = novelink("export", tmp_path, "-o", tmp_path / "model")
    assert done.code == 1
    assert "Give the folder 'best' of a run of `novelink train`" in done.err


def test_pretrain_then_train_on_the_encoder(novelink, config, encoder_folder, tmp_path):
    words = "the gutter orfa raises lowers itch was found again first"
    (tmp_path / "texts.txt").write_text(f"{words}\n" * 300, encoding="utf-8")
    done = novelink(
        *("pretrain", tmp_path / "texts.txt", "--encoder", encoder_folder, "-o", tmp_path / "own"),
        *("--vocabulary", tmp_path / "own.json", "--vocabulary-size", "120", "--tokens", "2048"),
        *("--length", "32", "--batch-size", "8", "--precision", "fp32", "--threads", "1"),
    )
    assert done.code == 0, done.err
    assert json.loads(done.out)["tokens"] == 2048
    assert done.err == ""
    encoder = tmp_path / "own" / "encoder"
    trained = novelink("train", config, "--set", f"encoder.name={encoder}")
    assert trained.code == 0, trained.err


def test_recipes_are_settings_that_this_version_knows():
    from novelink.training.settings import load_settings

    recipes = Path(__file__).resolve().parents[2] / "recipes"
    names = {path.name for path in recipes.glob("*.toml")}
    assert {"pair.toml", "document.toml"} <= names
    for name in ("pair.toml", "document.toml"):
        assert load_settings(recipes / name).optim.epochs >= 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_pretraining_keeps_a_checkpoint_and_says_so_by_its_exit_code(
    novelink, encoder_folder, tmp_path, monkeypatch, number, code
):
    from novelink.training.pretrain import _Run

    (tmp_path / "a.txt").write_text("the gutter raises orfa again\n" * 300, encoding="utf-8")
    step = _Run._one_step

    def stopped(run):
        signal.raise_signal(number)
        return step(run)

    arguments = [
        *("pretrain", tmp_path / "a.txt", "--encoder", encoder_folder, "-o", tmp_path / "run"),
        *("--tokens", 2048, "--length", 32, "--batch-size", 16, "--threads", 1),
        *("--precision", "fp32"),
    ]
    monkeypatch.setattr(_Run, "_one_step", stopped)
    outcome = novelink(*arguments)
    assert outcome.code == code
    assert json.loads(outcome.out)["tokens"] == 512
    assert "Traceback" not in outcome.err
    monkeypatch.undo()
    again = novelink(*arguments)
    assert again.code == 0, again.err
    assert "resumed after 512 tokens" in again.err
    assert json.loads(again.out)["stopped_by"] is None
