"""DIR/.sockerless/rendered.json: what was rendered last, and by which version of the kit.

Owns: the file (mode 0600): the SHA-256 of each file as it was rendered, so that an edit can be told from a rendering.
Knows no template.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from sockerless.kit import background

MANIFEST_FILE = "rendered.json"
KIT_VERSION = version("sockerless-kit")


@dataclass(frozen=True, slots=True)
class Manifest:
    """kit_version: "" when it was not recorded. digests: by path relative to the deployment's directory."""

    kit_version: str = ""
    digests: Mapping[str, str] = field(default_factory=dict)


def digest(text: str) -> str:
    """What is recorded of a file's text."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def read(state_directory: Path) -> Manifest:
    """The manifest in the directory. A damaged one counts as empty: then every differing file counts as edited."""
    try:
        document = json.loads((state_directory / MANIFEST_FILE).read_text(encoding="utf-8"))
        files = document.get("files", document)  # the whole of it, before versions were recorded
        return Manifest(str(document.get("kit_version", "")), {str(name): str(files[name]) for name in files})
    except (FileNotFoundError, ValueError, TypeError, AttributeError):
        return Manifest()


def write(state_directory: Path, manifest: Manifest) -> None:
    """Replaces what is recorded in the directory."""
    document = {"kit_version": manifest.kit_version, "files": dict(sorted(manifest.digests.items()))}
    state_directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    background.write_private(state_directory / MANIFEST_FILE, json.dumps(document, indent=1) + "\n")
