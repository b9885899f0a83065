"""Digests of what is finished: of the values themselves, with what they belong to, so that damage is noticed.

They show what a disk, a copy or a careless hand changed. Who means harm can compute them anew.
"""

from __future__ import annotations

import hashlib
import json
from typing import TypeAlias

Value: TypeAlias = None | int | float | str | bytes


def seal(identity: str, kind: str, *values: Value) -> str:
    """The SHA-256 of some values in canonical form, chained with the run and the kind of thing that they are of.

    Raises:
        TypeError: a value is none that is sealed.

    >>> seal("run", "cursor", 1, "a") == seal("run", "cursor", 1, b"a")
    False
    """
    plain = [["bytes", hashlib.sha256(v).hexdigest()] if isinstance(v, bytes) else v for v in values]
    return hashlib.sha256(json.dumps([identity, kind, *plain]).encode()).hexdigest()
