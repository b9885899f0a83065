"""``polyregions completion``: what a shell needs to complete commands."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from polyregions.cli.status import DONE
from polyregions.io.files import import_extra

SHELLS = ("bash", "zsh", "tcsh")


def completion(arguments: argparse.Namespace, parser: Callable[[], argparse.ArgumentParser]) -> int:
    """Print the completion script of a shell; shtab writes it from the parser."""
    shtab = import_extra("shtab", "completion", "shell completion")
    print(shtab.complete(parser(), shell=arguments.shell))
    return DONE
