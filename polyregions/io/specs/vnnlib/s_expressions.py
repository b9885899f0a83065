"""S-expressions, as VNN-LIB files are made of: read one by one, without recursion, so that no file ends the process."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, TypeAlias

from polyregions.errors import FormatError
from polyregions.io.files import shortened

MAX_DEPTH: Final = 64

Expression: TypeAlias = "str | list[Expression]"

_TOKEN = re.compile(r';[^\r\n]*|\s+|[()]|\[[^\[\]();"|]*\]|"[^"]*"|\|[^|]*\||[^\s()\[\];"|]+')


def expressions(text: str, where: str) -> Iterator[Expression]:
    """The top-level s-expressions, one by one, nested at most `MAX_DEPTH` deep.

    Raises:
        FormatError: anything else; `where` names the file.
    """
    stack: list[list[Expression]] = []
    for token in _tokens(text, where):
        if token == "(":
            stack.append([])
            if len(stack) > MAX_DEPTH:
                raise FormatError(f"{where}: parentheses nested deeper than {MAX_DEPTH}")
            continue
        if not stack:
            raise FormatError(f"{where}: {shortened(token)!r} outside parentheses")
        if token != ")":
            stack[-1].append(token)
            continue
        finished = stack.pop()
        if stack:
            stack[-1].append(finished)
        else:
            yield finished
    if stack:
        raise FormatError(f"{where}: {len(stack)} parentheses are not closed at the end of the file")


def written(expression: Expression) -> str:
    """An expression in the notation of the file, shortened for a message."""
    return shortened(_joined(expression, 20), 80)


def _tokens(text: str, where: str) -> Iterator[str]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise FormatError(f"{where}: {shortened(text[position:])!r}, expected an s-expression")
        position = match.end()
        token = match[0]
        if token.startswith(";") and len(token.splitlines()) > 1:
            found = shortened(repr(token))
            raise FormatError(
                f"{where}: the comment {found} holds an unusual line end, expected LF, CR or CR LF"
            )
        if not (token.isspace() or token.startswith(";")):
            yield token


def _joined(expression: Expression, limit: int) -> str:
    if isinstance(expression, str):
        return expression
    return "(" + " ".join(_joined(part, limit) for part in expression[:limit]) + ")"
