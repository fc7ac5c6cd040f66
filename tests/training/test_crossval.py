"""Ten folds by document: nothing trained on what it is tested on, every fold resumable."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from command_line import run_command
from novelink import cli
from novelink.document import Document
from novelink.errors import DataError, ModelError, SettingsError
from novelink.formats import read, write
from novelink.runtime.model_set import write_model_set
from novelink.training import crossval as module
from novelink.training.crossval import CrossValidation
from novelink.training.folds import Folds
from novelink.training.workers import run_workers


def bare(count):
    return [Document.from_text(str(number), "A.") for number in range(count)]


@given(st.integers(2, 60), st.integers(2, 12), st.integers(0, 99))
def test_folds_share_out_the_documents(count, folds, seed):
    """Each document in one fold, sizes within one, whatever the order of the documents."""
    documents = bare(count)
    if folds > count:
        with pytest.raises(SettingsError, match="cannot be"):
            Folds.of(documents, folds, seed)
        return
    made = Folds.of(documents, folds, seed)
    assert sorted(name for fold in made.ids for name in fold) == sorted(
        document.id for document in documents
    )
    sizes = [len(fold) for fold in made.ids]
    assert max(sizes) - min(sizes) <= 1
    assert Folds.of(documents[::-1], folds, seed) == made
    for fold in range(folds):
        train, held = made.split(documents, fold)
        assert not {one.id for one in train} & {one.id for one in held}
        assert len(train) + len(held) == count
        assert tuple(sorted(one.id for one in held)) == made.ids[fold]


def test_a_document_twice_is_refused():
    with pytest.raises(DataError, match="the document '3' is there twice"):
        Folds.of([*bare(5), bare(4)[3]], 2, 0)


@pytest.fixture
def crossval(settings, change, make_documents, tmp_path):
    """Make a cross-validation of two folds over 16 documents."""
    chosen = change(settings, optim={"epochs": 1})
    documents = make_documents(16, seed=1)

    def make(chosen=chosen, documents=documents):
        lines = []
        made = CrossValidation(chosen, documents, tmp_path / "cv", folds=2, log=lines.append)
        made.lines = lines
        return made

    return make


def test_every_document_is_answered_by_the_model_that_has_not_seen_it(
    crossval, monkeypatch, tmp_path
):
    seen = {}
    trainer = module.Trainer

    def noted(settings, train, dev, **options):
        seen[settings.output[-2:]] = ({one.id for one in train}, {one.id for one in dev})
        assert settings.optim.seed == int(settings.output[-2:])
        return trainer(settings, train, dev, **options)

    monkeypatch.setattr(module, "Trainer", noted)
    made = crossval()
    for number in made.numbers:
        made.run(number)
    for number, key in ((1, "01"), (2, "02")):
        train, held = seen[key]
        assert not train & held
        found = {one.id for one in read(made.folder(number) / "found.jsonl")}
        assert found == held
    summary = made.summary()
    assert summary == json.loads((tmp_path / "cv" / "summary.json").read_text(encoding="utf-8"))
    assert summary["documents"] == 16
    assert set(summary["levels"]) == {"pair", "type", "novelty", "all"}
    assert [fold["seed"] for fold in summary["folds"]] == [1, 2]
    manifest = json.loads((tmp_path / "cv" / "folds.json").read_text(encoding="utf-8"))
    assert {name for fold in manifest["folds"] for name in fold["documents"]} == seen["01"][
        0
    ] | seen["01"][1]
    # A second call finds everything done and trains nothing.
    seen.clear()
    again = crossval()
    for number in again.numbers:
        again.run(number)
    assert seen == {}
    assert again.summary() == summary


def test_an_unfinished_cross_validation_says_which_folds_are_missing(crossval):
    made = crossval()
    made.run(2)
    with pytest.raises(ModelError, match="folds 1 are not done"):
        made.summary()


def test_other_documents_seeds_or_settings_are_another_cross_validation(
    crossval, settings, change, make_documents
):
    crossval()
    with pytest.raises(SettingsError, match="folds of other documents"):
        crossval(documents=make_documents(15, seed=1))
    with pytest.raises(SettingsError, match="other settings"):
        crossval(chosen=change(settings, optim={"epochs": 3}))
    crossval(chosen=change(settings, optim={"epochs": 1, "threads": 2}))


def test_workers_are_processes_whose_failures_are_named():
    """The others run to their end; the reason is the failed one's own last words."""
    lines = []
    commands = [
        ("version", ["--version"]),
        ("nothing", ["models", "info", "no-such-model"]),
        ("help", ["train", "--help"]),
    ]
    with pytest.raises(
        ModelError, match=r"nothing ended with code 1 \(there is no model"
    ) as caught:
        run_workers(commands, 2, lines.append)
    assert "version" not in str(caught.value)
    assert any("there is no model" in line for line in lines)
    run_workers(commands[::2], 2, lines.append)


@pytest.mark.skipif(os.name != "posix", reason="sends the signal that Ctrl-C sends")
def test_an_interrupt_ends_running_workers_and_begins_no_others(tmp_path, monkeypatch):
    """A worker of ten minutes is not waited for, and the third is never begun."""
    program = tmp_path / "program"
    program.write_text('#!/bin/sh\necho "started $*" >&2\nexec sleep 600\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    lines = []
    lock = threading.Lock()  # lines come from a thread a worker

    def log(line):
        with lock:
            lines.append(line)
            begun = len(lines)
        if begun == 2:
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            run_workers([(name, [name]) for name in ("one", "two", "three")], 2, log)
    finally:
        signal.signal(signal.SIGINT, handler)
    assert sorted(lines) == ["started -m novelink one", "started -m novelink two"]


@pytest.mark.parametrize(("visible", "given"), [(None, {"0", "1", "2"}), ("5,7", {"5", "7"})])
def test_workers_beside_each_other_get_a_gpu_each(monkeypatch, visible, given):
    """And share out the cores; a launcher's choice of GPUs is kept to."""
    seen = []

    class Process:
        returncode = 0
        stderr = ()

        def __init__(self, _command, env, **_):
            seen.append((env["CUDA_VISIBLE_DEVICES"], env["OMP_NUM_THREADS"]))

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    count = len(given)
    monkeypatch.setattr("novelink.training.workers.subprocess.Popen", Process)
    monkeypatch.setattr("novelink.training.workers.torch.cuda.device_count", lambda: count)
    monkeypatch.setattr("novelink.training.workers.os.cpu_count", lambda: 4 * count + 1)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    run_workers([(f"fold {number}", ["x"]) for number in range(12)], count, lambda _: None)
    assert len(seen) == 12
    assert {device for device, _ in seen} <= given
    assert {threads for _, threads in seen} == {"4"}
    seen.clear()
    run_workers([("fold 1", ["x"])] * 6, 1, lambda _: None)
    assert {device for device, _ in seen} == {min(given)}


@pytest.fixture
def novelink(capfd):
    return partial(run_command, capfd)


def test_command_with_parallel_folds_then_a_set(
    novelink, monkeypatch, encoder_folder, make_documents, tmp_path
):
    """Workers get one fold each; here they run in this process, one after the other."""
    write(make_documents(10, seed=1), tmp_path / "train.pubtator")
    write(make_documents(6, seed=2, first=100), tmp_path / "dev.pubtator")
    config = tmp_path / "run.toml"
    config.write_text(
        f'[data]\ntrain = "{tmp_path}/train.pubtator"\ndev = "{tmp_path}/dev.pubtator"\n'
        f'[encoder]\nname = "{encoder_folder}"\n[model]\nmax_length = 64\n'
        '[optim]\nepochs = 1\nbatch_tokens = 256\nprecision = "fp32"\nthreads = 1\n',
        encoding="utf-8",
    )
    given = []

    def in_this_process(commands, parallel, log):
        given.extend((name, parallel) for name, _ in commands)
        for _, arguments in commands:
            with pytest.raises(SystemExit) as caught:
                cli.main(list(arguments))
            assert caught.value.code == 0

    monkeypatch.setattr("novelink.training.workers.run_workers", in_this_process)
    code, out, err = novelink(
        *("crossval", config, "-o", tmp_path / "cv", "--folds", "2", "--parallel", "2"),
        *("--export", "fp32", "--set", "optim.seed=7"),
    )
    assert code == 0, err
    assert given == [("fold 1", 2), ("fold 2", 2)]
    # The workers' output is on stdout too, since they ran here; the last is the command's own.
    summary = json.loads(out[out.rindex('{\n  "documents"') :])
    assert [fold["seed"] for fold in summary["folds"]] == [7, 8]
    folders = [tmp_path / "cv" / f"fold-0{number}" / "model" for number in (1, 2)]
    made = write_model_set(tmp_path / "set", folders, folders, name="two")
    assert len(made.relation) == 2
    assert (
        novelink("crossval", config, "-o", tmp_path / "cv", "--folds", "2", "--fold", "3")[0] == 2
    )
