"""What the daemon's image takes from the machine's packages."""

from __future__ import annotations

from importlib.metadata import PathDistribution
from pathlib import Path

from sockerless.kit import daemon_bundle


def test_an_old_installation_that_lists_its_sources_gives_what_was_installed_of_them(tmp_path: Path) -> None:
    installed = tmp_path / "site-packages"
    (installed / "old").mkdir(parents=True)
    (installed / "old" / "__init__.py").write_text("x = 1\n")
    metadata = installed / "old-1.0.egg-info"
    metadata.mkdir()
    (metadata / "SOURCES.txt").write_text("setup.cfg\nsetup.py\nold/__init__.py\nold-1.0.egg-info/SOURCES.txt\n")
    target = tmp_path / "image"
    daemon_bundle._copy_distribution(PathDistribution(metadata), target)
    copied = sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())
    assert copied == ["old-1.0.egg-info/SOURCES.txt", "old/__init__.py"]
