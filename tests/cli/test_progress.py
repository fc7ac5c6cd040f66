"""The bar of long runs: on a terminal only, below the lines said meanwhile, gone at the end."""

import pytest

from novelink.cli.progress import step_bar


def test_a_terminal_shows_how_far_a_run_is(capsys):
    with step_bar(terminal=True) as bar:
        bar.update(5, 10)
        bar.say("epoch 1 of 2")
        bar.update(10, 10)
    shown = capsys.readouterr().err
    assert "[###############---------------] 5 of 10 steps" in shown
    assert "epoch 1 of 2\n" in shown
    assert "10 of 10 steps, 0 min left" in shown
    assert shown.endswith("\r")  # click keeps the escape for real terminals


def test_the_bar_is_removed_when_a_run_fails(capsys):
    def run():
        with step_bar(terminal=True) as bar:
            bar.update(1, 3)
            raise KeyError

    with pytest.raises(KeyError):
        run()
    assert capsys.readouterr().err.endswith("\r")  # click keeps the escape for real terminals


def test_without_a_terminal_only_lines_are_written(capsys):
    with step_bar() as bar:
        bar.update(1, 3)
        bar.say("epoch 1 of 2")
    captured = capsys.readouterr()
    assert captured.err == "epoch 1 of 2\n"
    assert captured.out == ""
