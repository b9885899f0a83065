"""Shell completion, tried in a shell."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from polyregions.cli import main

pytest.importorskip("shtab")


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("polyregions ve", "verify"),
        ("polyregions count net.onnx --wor", "--workers"),
        ("polyregions est", "estimate"),
    ],
)
def test_bash_completes_verbs_and_options(
    words: str, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", "bash"]) == 0
    (tmp_path / "completion.sh").write_text(capsys.readouterr().out)
    script = (
        f"source completion.sh; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); "
        'function=$(complete -p polyregions | sed "s/.*-F \\([^ ]*\\).*/\\1/"); $function; echo "${COMPREPLY[@]}"'
    )
    shell = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert shell.stdout.split() == [expected]


def test_other_shells_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "cobol"]) == 2
    assert "cobol" in capsys.readouterr().err
