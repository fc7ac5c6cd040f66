"""``novelink doctor``: whether this installation works, and what it has."""

from __future__ import annotations

import json
from pathlib import Path

import click

from novelink.cli import completion, options

_COLOURS = {"ok": "green", "note": "yellow", "fail": "red"}


@click.command("doctor")
@click.option(
    "--model",
    "-m",
    "models",
    multiple=True,
    metavar="NAME|DIR",
    shell_complete=completion.models,
    help="Test this model; repeatable. Default: all that came along.",
)
@click.option("--json", "as_json", is_flag=True, help="For machines, and for reports of faults.")
@click.option(
    "--record",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Keep this model's answers of today in its folder, as what is expected of it, and stop.",
)
@click.pass_context
def command(
    ctx: click.Context, models: tuple[str, ...], *, as_json: bool, record: Path | None
) -> None:
    r"""Look at versions, cores, memory and extras, and test every model.

    A line for each check: OK, NOTE for what is worth knowing, or FAIL with what
    to do. Each model's files are compared with their checksums, then it reads
    an example, and its answers are compared with those it gave where it was
    made. Nothing is sent anywhere. Exit code 1 where a check fails.

    \b
    novelink doctor
    novelink doctor -m runs/mine        a model of your own
    novelink doctor --json > report.json
    """
    if record is not None:
        from novelink import self_test

        if not self_test.record(record):
            raise click.UsageError("its vocabulary has no pair of the example's entities")
        options.say([f"{record / self_test.FILE} written"])
        return
    from novelink.diagnosis import diagnose

    found = []
    for finding in diagnose(models or None):
        found.append(finding)
        if not as_json:
            status = click.style(f"{finding.status.upper():<4}", fg=_COLOURS[finding.status])
            click.echo(f"{status}  {finding.check}: {finding.text}")
    failed = sum(finding.status == "fail" for finding in found)
    if as_json:
        report = {"ok": not failed, "checks": [finding.to_dict() for finding in found]}
        click.echo(json.dumps(report, indent=2, ensure_ascii=False))
    options.say([f"{failed} of {len(found)} checks failed" if failed else "all is well"])
    if failed:
        ctx.exit(1)
