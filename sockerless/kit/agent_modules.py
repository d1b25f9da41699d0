"""The agent's Python modules: which ones it imports, and their compiled code, the same bytes every time.

Owns the choice of modules. Runs as a script, in the interpreter that the bundle is made from and without this
machine's site packages, and writes one JSON object to standard output; agent_bundle.py reads it. It must import
nothing of the product before the agent does: whatever is imported here is what the bundle contains.

usage: python -S -s -P agent_modules.py WEBSOCKETS_VERSION PARENT...
"""

from __future__ import annotations

import base64
import importlib
import importlib.machinery
import importlib.util
import json
import marshal
import pkgutil
import sys
import types
from collections.abc import Iterator
from typing import Any

PACKAGES = ("sockerless.agent", "sockerless.wire")
ALSO = ("encodings.ascii", "encodings.latin_1", "encodings.idna", "tempfile", "shutil", "traceback", "linecache")
"""Imported by the standard library only when it needs them."""
_SPEEDUPS = "websockets.speedups"
_MAGIC = importlib.util.MAGIC_NUMBER + bytes(12)


def import_agent(websockets_version: str) -> None:
    """Imports every module of the agent, and so all that it needs.

    The package's own version module asks importlib.metadata, a third of the agent's start time, so it is replaced.
    """
    version = types.ModuleType("websockets.version")
    vars(version).update(version=websockets_version, tag=websockets_version, commit=websockets_version)
    sys.modules["websockets.version"] = version
    for package in PACKAGES:
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}."):
            importlib.import_module(module.name)
    for name in ALSO:
        importlib.import_module(name)


def sources(websockets_version: str) -> Iterator[tuple[str, str]]:
    """The archive name and source text of every imported module that is Python source."""
    for name, module in sorted(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        if name == "websockets.version":
            yield "websockets/version.pyc", f"version = tag = commit = {websockets_version!r}\n"
        elif name == _SPEEDUPS:
            yield "websockets/speedups.pyc", "from speedups import apply_mask\n"
        elif spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            path = spec.name.replace(".", "/") + ("/__init__.pyc" if spec.submodule_search_locations else ".pyc")
            yield path, spec.loader.get_source(spec.name) or ""


def extensions() -> list[str]:
    """The files of every imported extension module: the standard library's, and the one that unmasks frames.

    All lie in one directory of the bundle, since no extension can be loaded from a zip file.
    """
    specs = (getattr(module, "__spec__", None) for module in list(sys.modules.values()))
    loaded = [spec for spec in specs if spec and isinstance(spec.loader, importlib.machinery.ExtensionFileLoader)]
    return sorted(spec.origin for spec in loaded if spec.origin and ("." not in spec.name or spec.name == _SPEEDUPS))


def compiled(source: str, path: str) -> bytes:
    """A .pyc file without docstrings, that names no file of this machine and is never checked against a source."""
    code = compile(source, path.removesuffix("c"), "exec", dont_inherit=True, optimize=2)
    return _MAGIC + marshal.dumps(code)


def main(websockets_version: str, *parents: str) -> None:
    """Writes {"modules": {archive name: base64 of .pyc}, "extensions": [path]}."""
    sys.path.extend(parents)
    import_agent(websockets_version)
    modules: dict[str, Any] = {
        path: base64.b64encode(compiled(source, path)).decode() for path, source in sources(websockets_version)
    }
    json.dump({"modules": modules, "extensions": extensions()}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
