"""Two processes train as one does with twice the accumulation."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path

import pytest
import torch
from processes import run_processes, weights

from novelink.cli import main
from novelink.formats import write
from novelink.training.checkpoint import STATE
from novelink.training.loop import Trainer

CASES = {
    "all tasks": {},
    "one task, where whole heads are silent": {
        "tasks": {"coreference": 0.0, "pair_type": 0.0, "novelty": 0.0}
    },
}


@pytest.mark.parametrize("sections", CASES.values(), ids=CASES.keys())
def test_two_processes_equal_one_with_two_micro_batches(
    settings, change, trainer, make_documents, sections
):
    """With adversarial steps and dropout."""
    train, dev = make_documents(32, seed=1), make_documents(8, seed=2)
    settings = change(
        settings,
        encoder={"dropout": 0.1, "attention_dropout": 0.1},
        optim={"fgm_epsilon": 0.5},
    )
    chosen = change(settings, optim={"epochs": 1, "rate": 5e-3}, **sections)
    alone_settings = change(chosen, output=f"{settings.output}-alone", optim={"accumulation": 2})
    alone = trainer(alone_settings, train, dev)
    # An odd batch at the end would be half a step alone and a whole one for two.
    assert len(alone._batches(0)) % 2 == 0
    alone.run()

    def one_of_two():
        torch.set_num_threads(1)
        made = Trainer(chosen, train, dev, log=lambda _: None)
        assert made.accelerator.num_processes == 2
        assert made.run().scores

    assert run_processes(2, one_of_two) == [0, 0]
    left, right = weights(alone.output / "best"), weights(f"{settings.output}/best")
    start = trainer(
        change(chosen, output=f"{settings.output}-start"), train, dev
    ).model.state_dict()
    for name, value in left.items():
        # Sums in another order differ in the last bits only, and far less than training moved.
        assert torch.allclose(value, right[name], atol=1e-4), name
    moved = max(float((left[name] - start[name]).abs().max()) for name in left)
    assert moved > 2e-3


@pytest.mark.parametrize("command", ["reproduce", "crossval"])
def test_two_processes_run_whole_commands(
    command, encoder_folder, make_documents, tmp_path, settings
):
    """Models are trained together; one of the two votes, scores, writes and prints."""
    for number, (name, count) in enumerate((("Train", 8), ("Dev", 4), ("Test", 4))):
        documents = make_documents(count, seed=number, first=100 * number)
        write(documents, tmp_path / f"{name}.PubTator", "pubtator")
    (tmp_path / "run.toml").write_text(
        f"[data]\ntrain = '{tmp_path}/Train.PubTator'\ndev = '{tmp_path}/Dev.PubTator'\n"
        f"[encoder]\nname = '{encoder_folder}'\n[optim]\nepochs = 1\n",
        encoding="utf-8",
    )
    small = ["model.max_length=64", "optim.batch_tokens=128", "optim.precision=fp32"]
    arguments = ["-o", str(tmp_path / "out"), "--folds", "2"]
    for setting in (*small, "optim.threads=1"):
        arguments += ["--set", setting]
    if command == "reproduce":
        arguments += ["S1-2", "--encoder", str(encoder_folder), "--data", str(tmp_path)]
        arguments += ["--epochs", "1", "--members", "1", "--json"]
    else:
        arguments += [str(tmp_path / "run.toml")]

    def one_of_two():
        torch.set_num_threads(1)
        with (tmp_path / f"out-{os.environ['RANK']}").open("w", encoding="utf-8") as out:
            with redirect_stdout(out), pytest.raises(SystemExit) as caught:
                main([command, *arguments])
            assert caught.value.code == 0

    assert run_processes(2, one_of_two) == [0, 0]
    printed = [(tmp_path / f"out-{rank}").read_text("utf-8") for rank in (0, 1)]
    assert json.loads(printed[0])
    assert printed[1] == ""
    folder = tmp_path / "out" / ("re-folds" if command == "reproduce" else "")
    assert json.loads((folder / "summary.json").read_text("utf-8"))["documents"] == 12
    state = torch.load(folder / "fold-02" / STATE, weights_only=True)
    assert json.loads(state["fingerprint"])["processes"] == 2


def test_folds_side_by_side_need_no_launcher(monkeypatch, tmp_path, capsys):
    (tmp_path / "run.toml").write_text("", encoding="utf-8")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(SystemExit) as caught:
        main(["crossval", str(tmp_path / "run.toml"), "-o", str(tmp_path), "--parallel", "2"])
    assert caught.value.code == 2
    assert "--parallel starts processes of its own" in capsys.readouterr().err


def test_a_launcher_trains_with_two_processes(encoder_folder, make_documents, tmp_path):
    """One result, one line an epoch, one model.

    With torchrun, which is what `accelerate launch` starts on several GPUs; on CPUs accelerate
    itself starts several processes through MPI only.
    """
    write(make_documents(12, seed=1), tmp_path / "train.pubtator")
    write(make_documents(6, seed=2, first=100), tmp_path / "dev.pubtator")
    (tmp_path / "run.toml").write_text(
        'output = "run"\n[data]\ntrain = "train.pubtator"\ndev = "dev.pubtator"\n'
        f"[encoder]\nname = '{encoder_folder}'\n[model]\nmax_length = 64\n"
        '[optim]\nepochs = 2\nbatch_tokens = 128\nprecision = "fp32"\nthreads = 1\n',
        encoding="utf-8",
    )
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [sys.executable, *launcher, "-m", "novelink", "train", "run.toml"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["model"] == str(Path("run") / "best")
    assert len((tmp_path / "run" / "metrics.jsonl").read_text("utf-8").splitlines()) == 2
    state = torch.load(tmp_path / "run" / STATE, weights_only=True)
    assert json.loads(state["fingerprint"])["processes"] == 2
    assert state["position"]["epoch"] == 2
    assert weights(tmp_path / "run" / "best")
