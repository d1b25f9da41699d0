"""Shell completion: what the printed script makes a real shell offer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMPLETE = """
source <(sockerless-kit completion bash)
complete -p sockerless-kit > /dev/null || exit 9
COMP_WORDS=({words})
COMP_CWORD={position}
_sockerless_kit_completion sockerless-kit
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A directory with a `sockerless-kit` that is this interpreter's."""
    script = tmp_path / "sockerless-kit"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m sockerless.kit "$@"\n')
    script.chmod(0o755)
    return tmp_path


def offered(program: Path, *words: str) -> set[str]:
    """What bash offers where the last word is still typed."""
    typed = " ".join(f"'{word}'" for word in words)
    done = subprocess.run(
        ["bash", "--norc", "-c", COMPLETE.format(words=typed, position=len(words) - 1)],
        env=os.environ | {"PATH": f"{program}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_bash_completes_commands(program: Path) -> None:
    assert offered(program, "sockerless-kit", "pl") == {"plan"}
    assert offered(program, "sockerless-kit", "agent", "") == {"build", "push"}


def test_bash_completes_options_and_their_choices(program: Path) -> None:
    assert offered(program, "sockerless-kit", "init", "--netw") == {"--network", "--network-cidr"}
    assert offered(program, "sockerless-kit", "init", "--network", "p") == {"public", "private"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_s_script_asks_the_program_in_that_shell_s_words(program: Path, shell: str) -> None:
    done = subprocess.run([program / "sockerless-kit", "completion", shell], capture_output=True, text=True, check=True)
    assert f"_SOCKERLESS_KIT_COMPLETE={shell}_complete" in done.stdout
