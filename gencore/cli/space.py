"""`space`: the checkout as a Hugging Face Space."""

from __future__ import annotations

from typing import Annotated

import typer


def space(
    check: Annotated[bool, typer.Option("--check", help="Say what the Hub would refuse, without asking it.")] = False,
    resolve: Annotated[bool, typer.Option("--resolve", help="Ask the package index, too, by uv.")] = False,
    push: Annotated[str | None, typer.Option(metavar="OWNER/NAME", help="Upload it, once checked.")] = None,
    hardware: Annotated[str | None, typer.Option(help="Such as cpu-basic; else the README's suggestion.")] = None,
    private: Annotated[
        bool | None, typer.Option("--private/--public", help="A new Space; else as you have it.")
    ] = None,
) -> None:
    """Check the checkout as a Hugging Face Space, or upload it as one.

    Needs a token of yours (`hf auth login`) to upload, and nothing to check.
    """
    from huggingface_hub import SpaceHardware

    from gencore.errors import InputError, near
    from gencore.space.check import problems_of, summary
    from gencore.space.project import find_project
    from gencore.space.push import push as upload
    from gencore.space.resolve import resolve as ask

    if not (check or resolve or push):
        raise InputError("space takes --check, --resolve or --push OWNER/NAME.")
    project = find_project()
    if problems := problems_of(project):
        for problem in problems:
            typer.echo(problem)
        raise typer.Exit(2)
    flavour, known = hardware or str(project.front["suggested_hardware"]), [one.value for one in SpaceHardware]
    if flavour not in known:
        raise InputError(f"There is no hardware {flavour!r}{near(flavour, known)}")
    typer.echo(summary(project))
    if resolve:
        typer.echo(ask(project, flavour))
    if push:
        typer.echo(upload(project, push, flavour, private))
