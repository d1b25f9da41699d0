"""Hostile text in every answer: refused with the key's name; and harmless should it ever get past that."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import hcl2
import pytest

from sockerless.errors import InvalidParameter
from sockerless.kit import environments, project, render, settings
from sockerless.kit.project import Project

HOSTILE = (
    '"',
    '"; resource "null" "x" {}',
    "${var.name}",
    "%{ if true }x%{ endif }",
    "a\nb",
    "a\\",
    "näme",
    "",
    "x" * 300,
    "a b",
    "\x00",
    "🐳",
    '"\n}\nprovider "aws" {',
    "'''\n[environments.prod]",
    "{{ project.home }}",
    "*/ # <<EOF",
)
TEXTS = tuple(field.name for field in settings.FIELDS if isinstance(field.default, str))
EMPTY_IS_LEGAL = {field.name for field in settings.FIELDS if field.default == ""}
LISTS = tuple(field.name for field in settings.FIELDS if field.default == () and field.name != "tags")
OTHERS = tuple(field.name for field in settings.FIELDS if isinstance(field.default, int))
IN_TAGS = [text for text in HOSTILE if text not in ("", "a b")]


def test_every_key_is_tried() -> None:
    assert {*TEXTS, *LISTS, *OTHERS, "tags"} == set(settings.BY_NAME)


@pytest.mark.parametrize("key", TEXTS)
@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_text_is_refused_with_the_key_named(tmp_path: Path, key: str, text: str) -> None:
    if not text and key in EMPTY_IS_LEGAL:
        assert getattr(project.from_mapping(tmp_path, {key: text}), key) == ""
        return
    with pytest.raises(InvalidParameter, match=f"^{key}: "):
        project.from_mapping(tmp_path, {key: text})


@pytest.mark.parametrize("key", LISTS)
@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_text_in_a_list_is_refused_with_the_key_named(tmp_path: Path, key: str, text: str) -> None:
    for value in ([text], text):
        with pytest.raises(InvalidParameter, match=f"^{key}: "):
            project.from_mapping(tmp_path, {key: value})


@pytest.mark.parametrize("key", OTHERS)
@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_text_for_a_number_or_a_switch_is_refused_with_the_key_named(
    tmp_path: Path, key: str, text: str
) -> None:
    with pytest.raises(InvalidParameter, match=f"^{key}: "):
        project.from_mapping(tmp_path, {key: text})


@pytest.mark.parametrize("text", IN_TAGS, ids=ascii)
def test_hostile_tags_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidParameter, match=r"^tags: "):
        project.from_mapping(tmp_path, {"tags": {text: "x"}})
    with pytest.raises(InvalidParameter, match=r"^tags: "):
        project.from_mapping(tmp_path, {"tags": {"team": text}})


@pytest.mark.parametrize("text", [text for text in HOSTILE if text], ids=ascii)
def test_hostile_text_in_an_environment_s_table_is_refused_with_environment_and_key(tmp_path: Path, text: str) -> None:
    for key in (*TEXTS, *LISTS, *OTHERS):
        table = render.render_table("prod", {key: [text] if key in LISTS else text})
        (tmp_path / "sockerless.toml").write_text(table, encoding="utf-8")
        with pytest.raises(InvalidParameter, match=rf"environment prod: {key}: "):
            project.load(tmp_path, "prod")


@pytest.mark.parametrize("text", [*HOSTILE, "..", "a/b", "a--b"], ids=ascii)
def test_hostile_names_of_environments_are_refused(text: str) -> None:
    with pytest.raises(InvalidParameter, match=r"^environment "):
        environments.check_name(text)
    with pytest.raises(InvalidParameter, match=r"^environment "):
        environments.select({"environments": {text: {}}}, "prod")


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_names_of_keys_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidParameter, match="there is no such key"):
        project.from_mapping(tmp_path, {text: "x"})


def unchecked(directory: Path, text: str, **other: Any) -> Project:
    """Settings that no check has seen: the text as every text, in every list, as a tag's name and value."""
    texts = {key: text for key in TEXTS if key not in ("state", "target")}
    lists = dict.fromkeys(LISTS, (text, text))
    made = project.from_mapping(directory, {})
    return dataclasses.replace(made, **{**texts, **lists, "tags": ((text, text),), **other})


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_unchecked_text_stays_that_text_in_sockerless_toml(tmp_path: Path, text: str) -> None:
    hostile = unchecked(tmp_path, text)
    keys = {"name": text, "subnet_ids": [text], "tags": {text: text}}
    (written,) = render.render_settings(hostile, {"prod": keys}).values()
    read = tomllib.loads(written)
    assert read.pop("environments") == {"prod": keys}
    assert {key: read[key] for key in TEXTS if key not in ("state", "target")} == {
        key: text for key in TEXTS if key not in ("state", "target")
    }
    assert all(read[key] == [text, text] for key in LISTS)
    assert read["tags"] == {text: text}
    assert set(read) == set(settings.BY_NAME)


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_unchecked_text_adds_no_block_to_the_rendering(tmp_path: Path, text: str) -> None:
    other = {"target": "simulator", "state": "s3"}  # with endpoints and a backend, which hold text too
    usual = render.render_terraform(unchecked(tmp_path, text and "plain", **other))
    hostile = render.render_terraform(unchecked(tmp_path, text, **other))
    written = ("providers.tf", "backend.tf")
    assert [shape(hostile[name]) for name in written] == [shape(usual[name]) for name in written]
    assert {name for name in usual if hostile[name] != usual[name]} <= {*written, "terraform.tfvars"}


def shape(configuration: str) -> Any:
    """The names of blocks and arguments in this HCL."""

    def names(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: names(one) for key, one in value.items()}
        return [names(one) for one in value] if isinstance(value, list) else None

    return names(hcl2.loads(configuration))


@pytest.mark.terraform
def test_unchecked_text_stays_that_text_in_terraform(tmp_path: Path) -> None:
    """By way of terraform.tfvars, as terraform reads it: variables of the same names, without their checks."""
    values = {}
    for number, text in enumerate(HOSTILE):
        directory = tmp_path / str(number)
        directory.mkdir()
        tfvars = render.render_terraform(unchecked(directory, text))["terraform.tfvars"]
        names = [line.split(" = ")[0].strip() for line in tfvars.splitlines() if " = " in line and line[0].isalpha()]
        declared = "".join(f'variable "{name}" {{}}\noutput "{name}" {{ value = var.{name} }}\n' for name in names)
        (directory / "main.tf").write_text(declared)
        (directory / "terraform.tfvars").write_text(tfvars, encoding="utf-8")
        assert terraform(directory, "fmt", "-check", "terraform.tfvars") == "", ascii(text)
        values[text] = applied(directory)
    for text, read in values.items():
        assert all(read[key] == text for key in TEXTS if key in read), ascii(text)
        assert all(read[key] == [text, text] for key in LISTS if key in read), ascii(text)
        assert read["tags"] == {text: text}


def applied(directory: Path) -> dict[str, Any]:
    """The outputs of the configuration there, which needs no provider."""
    terraform(directory, "apply", "-auto-approve", "-no-color", "-input=false")
    return {name: output["value"] for name, output in json.loads(terraform(directory, "output", "-json")).items()}


def terraform(directory: Path, *arguments: str) -> str:
    done = subprocess.run(["terraform", *arguments], cwd=directory, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
