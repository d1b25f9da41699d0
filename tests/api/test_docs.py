"""The reference page holds every row of the tables, and is the one in docs/."""

from __future__ import annotations

from pathlib import Path

from sockerless.api.create_config import CONFIG, ENDPOINT
from sockerless.api.create_host_config import HOST_CONFIG
from sockerless.api.docs import docker_api_page
from sockerless.api.routes import ROUTES
from sockerless.api.unsupported import UNSUPPORTED

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "docker_api_mapping.md"


def test_every_row_is_on_the_page() -> None:
    page = docker_api_page()
    for row in (*ROUTES, *UNSUPPORTED):
        assert f"`{row.method} {row.path}`" in page
    for option in (*CONFIG, *HOST_CONFIG, *ENDPOINT):
        assert f"| `{option.name}` |" in page


def test_every_table_has_as_many_cells_in_each_row() -> None:
    for section in docker_api_page().split("\n\n"):
        widths = {line.replace("\\|", "").count("|") for line in section.splitlines() if line.startswith("|")}
        assert len(widths) <= 1, section


def test_the_page_in_docs_is_in_step() -> None:
    assert PAGE.read_text() == docker_api_page()
