"""``polyregions completion``: what a shell needs to complete commands."""

from __future__ import annotations

import argparse

from polyregions.cli.status import DONE
from polyregions.io.files import import_extra

SHELLS = ("bash", "zsh", "tcsh")


def completion(arguments: argparse.Namespace) -> int:
    """Print the completion script of a shell; shtab writes it from the parser, which comes with the arguments."""
    shtab = import_extra("shtab", "completion", "shell completion")
    print(shtab.complete(arguments.parser(), shell=arguments.shell))
    return DONE
