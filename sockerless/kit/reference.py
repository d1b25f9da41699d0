"""terraform/: the rendering of the defaults, committed, so that the deployment can be read and used without the kit.

Owns: writing it. `python -m sockerless.kit.reference` after a change of a template; a test fails when it is out of
step.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sockerless.kit import project, render

DIRECTORY = Path("terraform")


def files() -> dict[str, str]:
    """The texts by path below terraform/: what `init --yes --aws` renders."""
    return render.render_terraform(project.from_mapping(DIRECTORY, {}))


def main() -> int:
    """Writes the files into ./terraform."""
    for name, text in files().items():
        path = DIRECTORY / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
