"""Every Python block of the README and the documentation runs and shows what it says."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(.*)$")
SESSION = ">>> "


def python_blocks(text: str) -> str:
    """The text with everything blank but the sessions in its Python blocks, so that line numbers stay."""
    kept, inside = [], False
    for line in text.splitlines():
        fence = FENCE.match(line)
        if fence:
            inside = not inside and fence[1].strip() == "python"
        kept.append(line if inside and not fence else "")
    return "\n".join(kept) + "\n"


def relative(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", [p for p in PAGES if SESSION in p.read_text(encoding="utf-8")], ids=relative)
def test_the_sessions_of_a_page_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    session = python_blocks(page.read_text(encoding="utf-8"))
    test = doctest.DocTestParser().get_doctest(session, {}, page.name, str(page), 0)
    assert test.examples
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
    assert result.failed == 0, capsys.readouterr().out


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_session_is_in_a_python_block(page: Path) -> None:
    """So that none is left out by a misspelt fence."""
    text = page.read_text(encoding="utf-8")
    assert python_blocks(text).count(SESSION) == text.count(SESSION)


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_blocks_keep_their_lines_and_nothing_else_does() -> None:
    text = "words\n```python\n>>> 1 + 1\n2\n```\n```sh\n>>> no\n```\n"
    assert python_blocks(text) == "\n\n>>> 1 + 1\n2\n\n\n\n\n"


WHERE = (ROOT / "docs" / "where-to-change.md").read_text(encoding="utf-8")
CHANGES = [row.strip("|").split("|") for row in WHERE.splitlines() if row.startswith("| ")][1:]


@pytest.mark.parametrize(("what", "where"), CHANGES, ids=[row[0].strip() for row in CHANGES])
def test_a_change_takes_at_most_three_files_and_they_are_there(what: str, where: str) -> None:
    named = re.findall(r"`([a-z_/]+\.py)`", where)
    assert 1 <= len(named) <= 3, what
    for file in named:
        assert (ROOT / "polyregions" / file).is_file(), f"{what}: {file}"


def test_every_file_that_the_picture_of_the_rooms_names_is_there() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`([a-z_]+/[a-z_/]+\.py)`", text)
    assert len(named) > 15
    bases = (ROOT / "polyregions", ROOT / "polyregions" / "engine" / "kernels", ROOT)
    assert [file for file in named if not any((base / file).is_file() for base in bases)] == []
