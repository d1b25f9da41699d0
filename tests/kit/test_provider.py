"""Where terraform's provider is looked for, and the sentence when it is nowhere."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from sockerless.errors import NotFound, Unavailable
from sockerless.kit import provider

UNPACKED = f"registry.terraform.io/hashicorp/aws/{{version}}/{provider.platform_name()}"


def mirror(root: Path, version: str = "5.100.0", packed: bool = False) -> Path:
    """A mirror with a provider that is nothing but its name."""
    if packed:
        home = root / "registry.terraform.io/hashicorp/aws"
        file = home / f"terraform-provider-aws_{version}_{provider.platform_name()}.zip"
    else:
        file = root / UNPACKED.format(version=version) / f"terraform-provider-aws_v{version}_x5"
    file.parent.mkdir(parents=True)
    file.touch()
    return root


@pytest.fixture
def elsewhere(tmp_path: Path) -> dict[str, str]:
    """An environment in which no folder of this machine is looked into."""
    return {"HOME": str(tmp_path / "home"), "XDG_DATA_DIRS": str(tmp_path / "share")}


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """The way to the registry leads into a port that refuses."""
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)


@pytest.mark.parametrize("packed", [False, True])
def test_a_named_mirror_is_taken_and_nothing_else_is_asked(
    tmp_path: Path, elsewhere: dict[str, str], packed: bool
) -> None:
    named = mirror(tmp_path / "mirror", packed=packed)
    mirror(tmp_path / "home/.terraform.d/plugins")
    assert provider.find(tmp_path, named, elsewhere).plugin_dir == named
    assert provider.find(tmp_path, None, elsewhere | {provider.PLUGIN_DIR_VARIABLE: str(named)}).plugin_dir == named


@pytest.mark.parametrize("version", [None, "5.79.0", "4.0.0"])
def test_a_named_mirror_without_a_new_enough_provider_is_refused(
    tmp_path: Path, elsewhere: dict[str, str], version: str | None
) -> None:
    if version:
        mirror(tmp_path, version)
    with pytest.raises(NotFound, match=r"holds no hashicorp/aws provider 5.80 or newer"):
        provider.find(tmp_path, tmp_path, elsewhere)


def test_terraform_s_own_folders_need_no_network(tmp_path: Path, elsewhere: dict[str, str], no_network: None) -> None:
    folder = mirror(tmp_path / "home/.terraform.d/plugins")
    source = provider.find(tmp_path, None, elsewhere)
    assert (source.description, source.plugin_dir) == (f"mirror {folder}", None)


def test_what_is_installed_already_is_used_again(tmp_path: Path, elsewhere: dict[str, str], no_network: None) -> None:
    installed = mirror(tmp_path / ".terraform/providers")
    assert provider.find(tmp_path, None, elsewhere).plugin_dir == installed


def test_a_configured_installation_is_left_to_terraform(
    tmp_path: Path, elsewhere: dict[str, str], no_network: None
) -> None:
    rc = tmp_path / "rc"
    rc.write_text('provider_installation {\n  filesystem_mirror {\n    path = "/x"\n  }\n}\n')
    source = provider.find(tmp_path, None, elsewhere | {"TF_CLI_CONFIG_FILE": str(rc)})
    assert (source.description, source.plugin_dir) == (f"as {rc} says", None)


def test_nowhere_is_said_exactly_and_fast(tmp_path: Path, elsewhere: dict[str, str], no_network: None) -> None:
    begun = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        provider.find(tmp_path, None, elsewhere | {"TF_CLI_CONFIG_FILE": str(tmp_path / "missing")})
    assert time.monotonic() - begun < provider.REGISTRY_TIMEOUT_S + 1
    for words in ("registry.terraform.io cannot be reached", "no local mirror", "--plugin-dir", "5.80"):
        assert words in caught.value.message
    assert provider.PLUGIN_DIR_VARIABLE in caught.value.message


def test_the_implied_folders_are_terraform_s() -> None:
    environment = {"HOME": "/h", "XDG_DATA_HOME": "/d", "XDG_DATA_DIRS": "/one:/two"}
    assert [str(folder) for folder in provider.implied_mirrors(Path("/here"), environment)] == [
        "/here/terraform.d/plugins",
        "/h/.terraform.d/plugins",
        "/d/terraform/plugins",
        "/one/terraform/plugins",
        "/two/terraform/plugins",
    ]
