"""Ctrl-C while training and exporting: exit code 130, one line, and what is kept is whole."""

from __future__ import annotations

import shutil

import pytest
import torch
from processes import weights

from interruption import contents, run
from novelink.formats import write


@pytest.fixture(scope="module")
def work(tmp_path_factory, encoder_folder, make_documents):
    """Corpora and settings of a short run."""
    folder = tmp_path_factory.mktemp("work")
    write(make_documents(12, seed=1), folder / "train.pubtator")
    write(make_documents(6, seed=2, first=100), folder / "dev.pubtator")
    (folder / "run.toml").write_text(
        f'[data]\ntrain = "{folder}/train.pubtator"\ndev = "{folder}/dev.pubtator"\n'
        f'[encoder]\nname = "{encoder_folder}"\n[model]\nmax_length = 64\n'
        '[optim]\nepochs = 2\nbatch_tokens = 256\nprecision = "fp32"\nthreads = 1\n'
        "checkpoint_minutes = 0\n",
        encoding="utf-8",
    )
    return folder


def stopped(arguments, capfd, at):
    code, _, err, _ = run(arguments, capfd, at)
    assert code == 130, err
    assert err.splitlines()[-1] == "novelink: stopped"
    assert "Traceback" not in err


def test_an_interrupted_run_goes_on_and_exports_are_all_or_nothing(work, capfd):
    train = ["train", work / "run.toml", "-o"]
    code, _, err, calls = run([*train, work / "whole"], capfd)
    assert code == 0, err
    for at in (calls // 3, 2 * calls // 3):
        stopped([*train, work / "cut"], capfd, at)
        assert not list((work / "cut").rglob("*.tmp"))
    code, _, err, _ = run([*train, work / "cut"], capfd)
    assert code == 0, err
    left, right = weights(work / "cut" / "best"), weights(work / "whole" / "best")
    assert all(torch.equal(left[name], right[name]) for name in right)

    export = ["export", work / "whole" / "best", "--precision=fp32", "-o", work / "out" / "model"]
    (work / "out").mkdir()
    for _ in range(2):  # the first time loads modules as well
        code, _, err, calls = run(export, capfd)
        assert code == 0, err
    result = contents(work / "out")
    for at in (calls // 4, calls // 2, calls - 3):
        stopped(export, capfd, at)
        # An older model of this name stays until the new one is whole.
        assert contents(work / "out").keys() == result.keys(), at
    shutil.rmtree(work / "out")
    stopped(export, capfd, calls // 2)
    assert not contents(work / "out")

    teach = ["teach", work / "dev.pubtator", "-m", work / "model", "-o", work / "soft.jsonl"]
    assert run([*export[:-1], work / "model"], capfd)[0] == 0
    code, _, err, calls = run(teach, capfd)
    assert code == 0, err
    (work / "soft.jsonl").write_text("before\n", encoding="utf-8")
    before = contents(work)
    stopped(teach, capfd, calls // 2)
    assert contents(work) == before

    calibrate = ["calibrate", work / "model", work / "dev.pubtator"]
    code, _, err, calls = run([*calibrate, "--dry-run"], capfd)
    assert code == 0, err
    stopped(calibrate, capfd, calls // 2)
    assert contents(work) == before
