"""Damaging valid files at random: bits, lengths, blocks, tokens; inside archives too, with right checksums."""

from __future__ import annotations

import gzip
import io
import random
import re
import struct
import warnings
import zipfile
from collections.abc import Sequence
from contextlib import suppress

EXTREMES = [
    0,
    1,
    -1,
    2,
    7,
    127,
    128,
    255,
    256,
    2**15,
    2**16 - 1,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**62,
    2**63 - 1,
]
NUMBERS = [
    b"0",
    b"-1",
    b"1",
    b"nan",
    b"inf",
    b"1e999",
    b"9" * 25,
    b"99999999",
    b"-0.0",
    b"1e-400",
    b"0x10",
    b"true",
    b"null",
]
TOKENS = [
    b"\0", b"\xff" * 9 + b"\x01", b"\x80" * 11, b"(", b")", b",", b"[", b"]", b"{", b"}", b'"', b"'", b"<", b"</",
    b"\n", b" ", b"-", b"X_1", b"Y_0", b"assert", b"<!DOCTYPE x [<!ENTITY a 'a'>]>", b"&x;", b"../../x", b"|O", b"<f8",
    b"<U9", b"\xe9",
]  # fmt: skip


def mutated(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """A damaged version of a file; blocks may come from other files of its kind."""
    if rng.random() < 0.6:
        with suppress(Exception):  # of what was damaged before, zipfile and gzip raise nearly anything
            if data.startswith(b"PK"):
                return _in_archive(data, rng, others)
            if data.startswith(b"\x1f\x8b"):
                return gzip.compress(_damaged(gzip.decompress(data), rng, others), 1, mtime=0)
    return _damaged(data, rng, others)


def _in_archive(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    """One member damaged, dropped, doubled or renamed; the archive around it is sound."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    i = rng.randrange(len(members))
    name, content = members[i]
    match rng.randrange(8):
        case 0:
            del members[i]
        case 1:
            members.append((members[rng.randrange(len(members))][0], content))
        case 2:
            members[i] = (
                members[rng.randrange(len(members))][0] + rng.choice(["", ".npy", "/x", "\\"]),
                content,
            )
        case 3:  # another array of the same archive in its place
            members[i] = (name, members[rng.randrange(len(members))][1])
        case _:
            members[i] = (name, _damaged(content, rng, others))
    out = io.BytesIO()
    kind = rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    with zipfile.ZipFile(out, "w", kind) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two members of one name are what is wanted
        for member, content in members:
            archive.writestr(member or "x", content)
    return out.getvalue()


def _damaged(data: bytes, rng: random.Random, others: Sequence[bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 3, 6])):
        _damage(changed, rng, others)
    return bytes(changed)


def _damage(data: bytearray, rng: random.Random, others: Sequence[bytes]) -> None:
    """One change, in place."""
    i = rng.randrange(len(data) + 1)
    j = min(len(data), i + rng.choice([1, 1, 2, 2, 4, 4, 8, 16, 64, len(data)]))
    match rng.randrange(14):
        case 0 | 11 | 12 if i < len(data):
            data[i] ^= 1 << rng.randrange(8)
        case 1 if i < len(data):
            data[i] = rng.randrange(256)
        case 2 if rng.random() < 0.4:
            del data[rng.choice([i, len(data) * 9 // 10, max(0, len(data) - 3)]) :]
        case 3:
            del data[i:j]
        case 4:
            data[i:i] = data[i:j]
        case 5:
            other = rng.choice(others)
            start = rng.randrange(len(other) + 1)
            data[i:j] = other[start : start + rng.choice([1, 8, 64, 512])]
        case 6:
            data[i:i] = rng.randbytes(rng.choice([1, 2, 4, 16]))
        case 7:
            field = _length_field(rng)
            data[i : i + len(field)] = field
        case 8:
            data[i : rng.choice([i, j])] = rng.choice(TOKENS)
        case _:
            _replace_number(data, rng, i)


def _length_field(rng: random.Random) -> bytes:
    """A number as file formats store sizes."""
    size, value = rng.choice([1, 2, 4, 8]), rng.choice(EXTREMES)
    order = rng.choice("<>")
    return struct.pack(f"{order}{'BHIQ'[size.bit_length() - 1]}", value % 2 ** (8 * size))


def _replace_number(data: bytearray, rng: random.Random, start: int) -> None:
    """The next number written out in digits becomes another one."""
    found = re.compile(rb"[-+0-9.eE]{1,40}").search(data, start) or re.compile(rb"[0-9]+").search(data)
    if found is not None:
        data[found.start() : found.end()] = rng.choice([*NUMBERS, str(rng.choice(EXTREMES)).encode()])
