"""Answers as they are printed; imports nothing that does the work, for that may be what was interrupted."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from typing import Any

from polyregions.cli.status import STOPPED
from polyregions.errors import visible


def partial_answer(arguments: Namespace, reason: str) -> int:
    """Print what a command has, which was stopped before it could say so itself; exit status 3."""
    known = dict(arguments.session.known)
    network = {"network": known.pop("network")} if "network" in known else {}
    report = {**known, "complete": False, **network, "stopped": reason}
    if known or getattr(arguments, "json", False):
        print_answer(arguments, report)
    else:
        print(f"polyregions: stopped before there was a result ({reason})", file=sys.stderr)
    return STOPPED


def print_answer(arguments: Namespace, report: dict[str, Any]) -> None:
    """One JSON object, or a line for each thing that it says."""
    if arguments.json:
        print(json.dumps(report))
    else:
        for name, value in report.items():
            print(visible(f"{name.replace('_', ' ')}: {_text(value)}"))


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k}: {v}" for k, v in value.items())
    if isinstance(value, list) and any(isinstance(v, dict) for v in value):
        return "; ".join(map(_text, value))
    if isinstance(value, list):
        return " ".join(str(v) for v in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
