"""Finding, listing, tagging and removing: what the real engine does with an image, this does with its record."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import docker
import pytest

from sockerless.backend.images_find import find
from sockerless.backend.images_list import list_images
from sockerless.backend.images_remove import remove
from sockerless.backend.images_tag import tag
from sockerless.errors import Conflict, InvalidParameter, NotFound
from sockerless.types import Container, ContainerState, ContainerStatus, Image, TaskSize
from tests.backend.images_rig import Images, images
from tests.registry.conftest import engine

__all__ = ["engine"]
ONE, TWO = "sha256:1" + "a" * 63, "sha256:1" + "b" * 63
DIGEST = "sha256:" + "d" * 64


def _image(image_id: str, *tags: str, digests: tuple[str, ...] = (), created: str = "", **config: object) -> Image:
    document = {"created": created, "config": config, "rootfs": {}}
    return Image(image_id, document, DIGEST, f"r.example/x@{DIGEST}", 7, tags, digests)


def _container(status: ContainerStatus, container_id: str = "c" * 64, image_id: str = ONE) -> Container:
    return Container(
        id=container_id, name=container_id[:4], created_at_ns=1, image="x", image_id=image_id, platform="linux/amd64",
        config={}, host_config={}, networking_config={}, size=TaskSize(256, 512), task_definition_arn="",
        state=ContainerState(status),
    )  # fmt: skip


@pytest.fixture
async def verbs(tmp_path: Path) -> AsyncIterator[Images]:
    async with images(tmp_path) as opened:
        yield opened


def _unused(image_id: str) -> list[Container]:
    return []


def _used(*containers: Container) -> Callable[[str], list[Container]]:
    return lambda image_id: [each for each in containers if each.image_id == image_id]


@pytest.mark.parametrize(
    "reference",
    ["app", "app:latest", "docker.io/library/app", ONE, ONE[7:], "1a", "sha256:1a", f"app@{DIGEST}", f"app:x@{DIGEST}"],
)
def test_an_image_is_found_by_name_digest_id_and_prefix(verbs: Images, reference: str) -> None:
    verbs.context.store.save_image(_image(ONE, "app:latest", digests=(f"app@{DIGEST}",)))
    verbs.context.store.save_image(_image(TWO, "other:latest"))
    assert find(verbs.context, reference).id == ONE


@pytest.mark.parametrize(
    ("reference", "shown"),
    [
        ("nosuch", "nosuch:latest"),
        ("1", "1:latest"),
        ("quay.io/a/b:c", "quay.io/a/b:c"),
        (f"other@{DIGEST}", f"other@{DIGEST}"),
        ("f" * 64, "sha256:" + "f" * 64),
        ("sha256:" + "f" * 64, "sha256:" + "f" * 64),
    ],
)
def test_an_unknown_or_ambiguous_reference_is_no_such_image(verbs: Images, reference: str, shown: str) -> None:
    for image in (_image(ONE, "app:latest"), _image(TWO, "other:latest")):
        verbs.context.store.save_image(image)
    with pytest.raises(NotFound) as missing:
        find(verbs.context, reference)
    assert str(missing.value) == f"No such image: {shown}"


@pytest.mark.engine
@pytest.mark.parametrize("reference", ["nosuch", "quay.io/a/b:c", "f" * 64, "sha256:" + "f" * 64, "UPPER", "a b"])
def test_the_engine_misses_an_image_in_the_same_words(verbs: Images, engine: docker.APIClient, reference: str) -> None:
    with pytest.raises(docker.errors.APIError) as theirs:
        engine.create_container(reference)
    with pytest.raises((NotFound, InvalidParameter)) as ours:
        find(verbs.context, reference)
    assert str(ours.value) == theirs.value.explanation


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [TWO, ONE]),
        ({"dangling": ("true",)}, [TWO]),
        ({"dangling": ("0",)}, [ONE]),
        ({"label": ("a",)}, [ONE]),
        ({"label": ("a=b",)}, [ONE]),
        ({"label": ("a=c",)}, []),
        ({"before": (TWO,)}, [ONE]),
        ({"since": ("app:v1",)}, [TWO]),
        ({"reference": ("app",)}, [ONE]),
        ({"reference": ("app:v*",)}, [ONE]),
        ({"reference": ("r.example/*",)}, []),
        ({"reference": ("r.example/*/*:v[12]",)}, [ONE]),
        ({"reference": ("*",), "label": ("z",)}, []),
    ],
)
def test_images_are_listed_newest_first_and_filtered(
    verbs: Images, filters: dict[str, tuple[str, ...]], expected: list[str]
) -> None:
    one = _image(ONE, "app:v1", "r.example/t/app:v2", created="2025-01-01T00:00:00Z", Labels={"a": "b"})
    verbs.context.store.save_image(_image(TWO, created="2026-01-01T00:00:00Z"))
    verbs.context.store.save_image(one)
    assert [image.id for image in list_images(verbs.context, filters)] == expected


def test_a_reference_filter_shows_only_the_names_that_match(verbs: Images) -> None:
    verbs.context.store.save_image(_image(ONE, "app:v1", "app:v2", "other:v1"))
    (shown,) = list_images(verbs.context, {"reference": ("app", "nosuch")})
    assert shown.repo_tags == ("app:v1", "app:v2")


@pytest.mark.parametrize("filters", [{"nosuch": ("x",)}, {"dangling": ("maybe",)}, {"reference": ("[z-a]",)}])
def test_a_filter_that_cannot_be_understood_is_refused(verbs: Images, filters: dict[str, tuple[str, ...]]) -> None:
    verbs.context.store.save_image(_image(ONE, "app:v1"))
    with pytest.raises(InvalidParameter):
        list_images(verbs.context, filters)


def test_a_tag_moves_from_one_image_to_another(verbs: Images) -> None:
    for image in (_image(ONE, "app:v1"), _image(TWO, "app:v2")):
        verbs.context.store.save_image(image)
    tag(verbs.context, ONE, "app", "v2")
    tag(verbs.context, ONE, "docker.io/library/app", "")
    assert find(verbs.context, ONE).repo_tags == ("app:v1", "app:v2", "app:latest")
    assert find(verbs.context, TWO).repo_tags == ()


@pytest.mark.parametrize(("repo", "name"), [("UPPER", ""), ("a", "x y"), (f"a@{DIGEST}", ""), ("sha256", "x")])
def test_a_malformed_tag_is_refused(verbs: Images, repo: str, name: str) -> None:
    verbs.context.store.save_image(_image(ONE, "app:v1"))
    with pytest.raises(InvalidParameter):
        tag(verbs.context, ONE, repo, name)


def test_the_last_name_takes_its_digests_and_the_image_with_it(verbs: Images) -> None:
    digests = (f"app@{DIGEST}",)
    verbs.context.store.save_image(_image(ONE, "app:v1", "app:v2", digests=digests))
    assert remove(verbs.context, "app:v1", False, True, _unused) == [{"Untagged": "app:v1"}]
    assert remove(verbs.context, "app:v2", False, True, _unused) == [
        {"Untagged": "app:v2"},
        {"Untagged": f"app@{DIGEST}"},
        {"Deleted": ONE},
    ]
    assert verbs.context.store.images() == []


def test_an_image_in_use_loses_its_name_by_force_but_stays(verbs: Images) -> None:
    verbs.context.store.save_image(_image(ONE, "app:v1"))
    assert remove(verbs.context, "app:v1", True, True, _used(_container("running"))) == [{"Untagged": "app:v1"}]
    assert find(verbs.context, ONE).repo_tags == ()


Scene = tuple[list[str], str, bool, ContainerStatus | None]
SCENES: list[Scene] = [
    (["a:1"], "a:1", False, None),
    (["a:1"], "id", False, None),
    (["a:1", "a:2"], "a:1", False, None),
    (["a:1", "a:2"], "id", False, None),
    (["a:1", "b:1"], "id", False, None),
    (["a:1", "b:1"], "id", True, None),
    (["a:1"], "a:1", False, "exited"),
    (["a:1"], "id", False, "exited"),
    (["a:1"], "a:1", True, "exited"),
    (["a:1"], "id", True, "exited"),
    (["a:1", "b:1"], "a:1", False, "exited"),
    (["a:1", "b:1"], "id", False, "exited"),
    (["a:1"], "a:1", False, "running"),
    (["a:1"], "id", False, "running"),
    (["a:1"], "a:1", True, "running"),
    (["a:1"], "id", True, "running"),
    (["a:1", "b:1"], "id", False, "running"),
]


@pytest.mark.engine
@pytest.mark.parametrize(("names", "asked", "force", "status"), SCENES)
def test_the_engine_removes_and_refuses_in_the_same_words(
    verbs: Images,
    engine: docker.APIClient,
    engine_image: str,
    names: list[str],
    asked: str,
    force: bool,
    status: ContainerStatus | None,
) -> None:
    """Beside the engine: an image made for this, with these names, perhaps used by a container."""
    base = engine.create_container(engine_image, ["sleep", "60"])["Id"]
    image_id = engine.commit(base, changes=["LABEL scene=1"])["Id"]
    engine.remove_container(base)
    holder = ""
    try:
        for name in names:
            engine.tag(image_id, f"scene.example/{name}")
        verbs.context.store.save_image(_image(image_id, *(f"scene.example/{name}" for name in names)))
        if status is not None:
            holder = engine.create_container(image_id)["Id"]
            if status == "running":
                engine.start(holder)
        reference = image_id if asked == "id" else f"scene.example/{asked}"
        users = [] if status is None else [_container(status, holder, image_id)]
        theirs = _outcome(
            lambda: engine._result(
                engine._delete(engine._url("/images/{0}", reference), params={"force": force}), json=True
            )
        )
        ours = _outcome(lambda: remove(verbs.context, reference, force, True, _used(*users)))
        assert ours == theirs
    finally:
        if holder:
            engine.remove_container(holder, force=True)
        if any(image["Id"] == image_id for image in engine.images(all=True)):
            engine.remove_image(image_id, force=True)


def _outcome(action: Callable[[], list[dict[str, str]]]) -> str | list[dict[str, str]]:
    """The refusal's words, or what was removed; of layers the engine deletes too only the image counts."""
    try:
        lines = action()
    except docker.errors.APIError as refused:
        return str(refused.explanation)
    except Conflict as refused:
        return str(refused)
    deleted = [line for line in lines if "Deleted" in line]
    return [line for line in lines if "Untagged" in line] + deleted[:1]
