"""Settings are typed; unknown keys and impossible values are errors that say what to do."""

from __future__ import annotations

import pytest

from novelink.errors import SettingsError
from novelink.training.settings import TrainSettings, load_settings
from novelink.training.settings_file import from_dict, override


def write(tmp_path, text):
    path = tmp_path / "run.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_and_changes_from_the_command_line(tmp_path):
    path = write(tmp_path, 'output = "runs/a"\n[optim]\nepochs = 3\nrate = 1\n')
    settings = load_settings(
        path,
        ["optim.rate=2e-5", "encoder.name=some/encoder", "data.train = a=b.txt", "name='x y'"],
    )
    assert settings.output == "runs/a"
    assert settings.optim.epochs == 3
    assert settings.optim.rate == 2e-5
    assert settings.encoder.name == "some/encoder"
    assert settings.data.train == "a=b.txt"
    assert settings.name == "x y"


def test_none_clears_an_optional_setting():
    settings = override(TrainSettings(), ["encoder.attention_dropout=none", "optim.threads=4"])
    assert settings.encoder.attention_dropout is None
    assert override(settings, ["optim.threads="]).optim.threads is None


def test_settings_survive_a_round_trip():
    settings = override(TrainSettings(), ["optim.rate=3e-5", "tasks.main=novelty"])
    assert from_dict(TrainSettings, settings.to_dict()) == settings


def test_every_setting_is_documented():
    """The docstring of each section names each of its settings."""
    for section in (TrainSettings(), *vars(TrainSettings()).values()):
        if hasattr(section, "__dataclass_fields__") and section.__class__ is not TrainSettings:
            for name in section.__dataclass_fields__:
                assert f"{name}:" in section.__doc__


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[optim]\nepoch = 3", r"run.toml: unknown setting 'optim.epoch'.*epochs"),
        ("[optimiser]\nepochs = 3", "unknown setting 'optimiser'"),
        ("optim = 3", "'optim' must be a table"),
        ("[optim]\nepochs = 'many'", "'optim.epochs' must be int, not 'many'"),
        ("[optim]\nepochs = true", "'optim.epochs' must be int, not True"),
        ("[optim]\nepochs = 1.5", "'optim.epochs' must be int"),
        ("[optim]\nepochs = 0", "run.toml: 'optim.epochs' is 0, not within 1"),
        ("[optim]\nrate = nan", "'optim.rate' is nan"),
        ("[optim]\nrate = -1e-5", "'optim.rate' is -1e-05"),
        ("[optim]\nwarmup_share = 2", "'optim.warmup_share' is 2"),
        ("[optim]\nprecision = 'fp8'", "'optim.precision' is 'fp8'.*auto, fp32, bf16"),
        ("[tasks]\nmain = 'typing'", "'tasks.main' is 'typing'.*relation, novelty"),
        ("[tasks]\nnovelty_over = 'some'", "'tasks.novelty_over' is 'some'.*all, related"),
        ("[tasks]\nnovelty = -1", "'tasks.novelty' is -1"),
        ("[model]\nmax_length = 8", "'model.max_length' is 8"),
        ("[encoder]\nname = 3", "'encoder.name' must be str"),
        ("epochs = [", "not a TOML file"),
    ],
)
def test_bad_files(tmp_path, text, message):
    with pytest.raises(SettingsError, match=message) as caught:
        load_settings(write(tmp_path, text))
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("optim.epochs", "is no setting"),
        ("optim.epoch=3", "unknown setting in 'optim.epoch=3'.*epochs"),
        ("nothing.epochs=3", "unknown setting"),
        ("output.folder=x", "has no settings below it"),
        ("optim=3", "must be a table"),
        ("optim.epochs=two", "must be int, not 'two'"),
        ("optim.epochs=none", "must be int, not None"),
        ("optim.accumulation=0", "'optim.accumulation' is 0"),
    ],
)
def test_bad_changes(change, message):
    with pytest.raises(SettingsError, match=message):
        override(TrainSettings(), [change])


def test_a_missing_file(tmp_path):
    with pytest.raises(SettingsError, match="cannot read the settings"):
        load_settings(tmp_path / "none.toml")
