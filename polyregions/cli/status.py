"""Exit statuses: what a command says to scripts."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
ANSWERED_NO: Final = 1
"""A check failed, or a property is violated."""
BAD_INPUT: Final = 2
STOPPED: Final = 3
"""Stopped early: the result is partial, and says so."""
