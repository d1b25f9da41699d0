"""Image archives: those of the real engine, OCI layouts, compressed ones, damaged ones, hostile ones."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import docker
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sockerless.errors import InvalidParameter, NotSupported
from sockerless.registry.archive import ArchivedImage, open_archive
from sockerless.registry.layers import prepare_layer
from sockerless.registry.manifest import DOCKER_LAYER_GZIP, OCI_LAYER_GZIP, OCI_LAYER_ZSTD
from tests.registry.conftest import Save
from tests.registry.images import SmallImage, digest, index, small_image, tar

IMAGE = small_image()


def _blob(data: bytes) -> str:
    return "blobs/sha256/" + digest(data).partition(":")[2]


def _docker_files(image: SmallImage = IMAGE, tags: tuple[str, ...] = ("app:v1",)) -> dict[str, bytes]:
    entry = {"Config": "config.json", "RepoTags": list(tags) or None, "Layers": ["0/layer.tar"]}
    return {
        "config.json": image.config,
        "0/layer.tar": image.plain_layer,
        "manifest.json": json.dumps([entry]).encode(),
    }


def _oci_files(image: SmallImage = IMAGE, name: str | None = "docker.io/library/app:v1") -> dict[str, bytes]:
    entry: dict[str, object] = {
        "mediaType": json.loads(image.manifest)["mediaType"],
        "size": len(image.manifest),
        "digest": digest(image.manifest),
    }
    if name:
        entry["annotations"] = {"io.containerd.image.name": name}
    return {
        "oci-layout": b'{"imageLayoutVersion":"1.0.0"}',
        "index.json": json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode(),
        _blob(image.manifest): image.manifest,
        _blob(image.config): image.config,
        _blob(image.layer): image.layer,
    }


def _images(path: Path) -> list[ArchivedImage]:
    with open_archive(path, path.parent) as archive:
        return archive.images()


def _write(directory: Path, data: bytes | dict[str, bytes]) -> Path:
    path = directory / "archive"
    path.write_bytes(tar(data) if isinstance(data, dict) else data)
    return path


def _prepare_all(path: Path) -> None:
    """Everything a load reads of an archive."""
    with open_archive(path, path.parent) as archive:
        for image in archive.images():
            for layer in image.layers:
                with archive.open_layer(layer) as source:
                    prepare_layer(source, layer, image.oci, path.parent)


@pytest.mark.engine
def test_what_the_engine_saves_is_read_with_every_tag(
    engine: docker.APIClient, engine_image: str, save: Save, tmp_path: Path
) -> None:
    engine.tag(engine_image, "second.example/name", "v2")
    saved = save(engine_image, "second.example/name:v2")
    engine.remove_image("second.example/name:v2")
    path = _write(tmp_path, saved)
    (image,) = _images(path)
    assert image.id == engine.inspect_image(engine_image)["Id"]
    assert {tag.familiar for tag in image.tags} == {engine_image, "second.example/name:v2"}
    assert [layer.diff_id for layer in image.layers] == engine.inspect_image(engine_image)["RootFS"]["Layers"]
    _prepare_all(path)


@pytest.mark.engine
def test_several_images_that_share_a_layer_are_read(
    engine: docker.APIClient, engine_image: str, save: Save, tmp_path: Path
) -> None:
    """The engine stores a shared layer once and links to it."""
    container = engine.create_container(engine_image, "true")["Id"]
    engine.commit(container, "child.example/of", "v1")
    engine.commit(container, "child.example/of", "v2", changes=["ENV A=b"])
    saved = save(engine_image, "child.example/of:v1", "child.example/of:v2")
    path = _write(tmp_path, saved)
    expected = {
        engine.inspect_image(name)["Id"] for name in (engine_image, "child.example/of:v1", "child.example/of:v2")
    }
    engine.remove_container(container)
    for tag in ("v1", "v2"):
        engine.remove_image(f"child.example/of:{tag}")
    assert {image.id for image in _images(path)} == expected
    _prepare_all(path)


@pytest.mark.parametrize("files", [_docker_files(), _oci_files()], ids=["docker", "oci"])
@pytest.mark.parametrize("compress", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_both_layouts_are_read_in_every_compression(
    files: dict[str, bytes], compress: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    path = _write(tmp_path, compress(tar(files)))
    (image,) = _images(path)
    assert (image.id, image.config, [str(tag) for tag in image.tags]) == (
        IMAGE.id,
        IMAGE.config,
        ["docker.io/library/app:v1"],
    )
    _prepare_all(path)
    assert {each.name for each in tmp_path.iterdir() if not each.name.startswith("layer-")} == {"archive"}


def test_a_zstd_archive_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(NotSupported, match="zstd -dc"):
        _images(_write(tmp_path, b"\x28\xb5\x2f\xfd" + bytes(100)))


def test_the_newer_docker_layout_over_blobs_is_read(tmp_path: Path) -> None:
    files = _oci_files()
    del files[_blob(IMAGE.layer)]
    files[_blob(IMAGE.plain_layer)] = IMAGE.plain_layer
    entry = {"Config": _blob(IMAGE.config), "RepoTags": ["app:v1"], "Layers": [_blob(IMAGE.plain_layer)]}
    path = _write(tmp_path, files | {"manifest.json": json.dumps([entry]).encode()})
    assert [image.id for image in _images(path)] == [IMAGE.id]
    _prepare_all(path)


def test_an_image_without_tags_and_one_under_two_names_are_read(tmp_path: Path) -> None:
    assert _images(_write(tmp_path, _docker_files(tags=())))[0].tags == ()
    assert _images(_write(tmp_path, _oci_files(name=None)))[0].tags == ()
    files = _oci_files()
    entries = json.loads(files["index.json"])["manifests"]
    second = entries[0] | {"annotations": {"io.containerd.image.name": "other"}}
    files["index.json"] = json.dumps({"manifests": [*entries, second]}).encode()
    (image,) = _images(_write(tmp_path, files))
    assert [tag.familiar for tag in image.tags] == ["app:v1", "other:latest"]


def test_the_runnable_platform_of_a_nested_index_is_taken(tmp_path: Path) -> None:
    other = small_image(b"s390x", architecture="s390x")
    nested = index((other, {"os": "linux", "architecture": "s390x"}), (IMAGE, {"os": "linux", "architecture": "amd64"}))
    files = _oci_files()
    entry = {"mediaType": "application/vnd.oci.image.index.v1+json", "size": len(nested), "digest": digest(nested)}
    files |= {_blob(nested): nested, "index.json": json.dumps({"manifests": [entry]}).encode()}
    assert [image.id for image in _images(_write(tmp_path, files))] == [IMAGE.id]


def test_a_layer_becomes_the_same_gzip_every_time_and_gzip_is_kept(tmp_path: Path) -> None:
    blobs = []
    for files in (_docker_files(), _docker_files(), _docker_files() | {"0/layer.tar": IMAGE.layer}, _oci_files()):
        with open_archive(_write(tmp_path, files), tmp_path) as archive:
            (image,) = archive.images()
            with archive.open_layer(image.layers[0]) as source:
                layer = prepare_layer(source, image.layers[0], image.oci, tmp_path)
            assert digest(layer.path.read_bytes()) == layer.descriptor.digest
            assert gzip.decompress(layer.path.read_bytes()) == IMAGE.plain_layer
            blobs.append(layer.descriptor)
    assert blobs[0] == blobs[1]
    assert blobs[2].digest == blobs[3].digest == digest(IMAGE.layer)
    assert (blobs[0].media_type, blobs[3].media_type) == (DOCKER_LAYER_GZIP, OCI_LAYER_GZIP)


def test_a_zstd_layer_of_an_oci_layout_is_kept_as_it_is(tmp_path: Path) -> None:
    stored = b"\x28\xb5\x2f\xfd" + bytes(100)
    files = _oci_files(
        replace(
            IMAGE, layer=stored, manifest=IMAGE.manifest.replace(digest(IMAGE.layer).encode(), digest(stored).encode())
        )
    )
    with open_archive(_write(tmp_path, files), tmp_path) as archive:
        (image,) = archive.images()
        with archive.open_layer(image.layers[0]) as source:
            layer = prepare_layer(source, image.layers[0], image.oci, tmp_path)
    assert (layer.path.read_bytes(), layer.descriptor.media_type) == (stored, OCI_LAYER_ZSTD)


def _with_entry(**changes: object) -> dict[str, bytes]:
    files = _docker_files()
    entry = json.loads(files["manifest.json"])[0] | changes
    return files | {"manifest.json": json.dumps([entry]).encode()}


def _with_member(member: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO(tar(_docker_files()))
    with tarfile.open(fileobj=buffer, mode="a") as archive:
        archive.addfile(member)
    return buffer.getvalue()


def _link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> bytes:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return _with_member(member)


def _negative_size() -> bytes:
    header = bytearray(tarfile.TarInfo("loop").tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\xff" * 10 + b"\xfc\x00"  # base-256: -1024, back to before itself
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + bytes(1024)


def _endless_header() -> bytes:
    member = tarfile.TarInfo("././@LongLink")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, 1 << 30
    return member.tobuf(tarfile.GNU_FORMAT) + bytes(4096)


MALFORMED = {
    "nothing": b"",
    "no tar": b"not a tar at all" * 100,
    "no manifest": tar({"file": b"x"}),
    "cut in a layer": tar(_docker_files())[:1500],
    "cut gzip": gzip.compress(tar(_docker_files()))[:-20],
    "damaged gzip": gzip.compress(bytes(5000))[:20] + bytes(50),
    "damaged bzip2": b"BZh9" + bytes(50),
    "damaged xz": b"\xfd7zXZ\x00" + bytes(50),
    "manifest.json is no JSON": tar(_docker_files() | {"manifest.json": b"{"}),
    "manifest.json is no list": tar(_docker_files() | {"manifest.json": b"{}"}),
    "manifest.json lists no objects": tar(_docker_files() | {"manifest.json": b"[1]"}),
    "deep JSON": tar(_docker_files() | {"manifest.json": b"[" * 100_000}),
    "config missing": tar(_with_entry(Config="other.json")),
    "config outside": tar(_with_entry(Config="../../etc/passwd")),
    "config absolute": tar(_with_entry(Config="/etc/passwd")),
    "config is no text": tar(_with_entry(Config=7)),
    "layer outside": tar(_with_entry(Layers=["0/../../x"])),
    "too many layers": tar(_with_entry(Layers=["0/layer.tar", "0/layer.tar"])),
    "wrong tag": tar(_with_entry(RepoTags=["UPPER:x"])),
    "name without tag": tar(_with_entry(RepoTags=["name"])),
    "config without rootfs": tar(_docker_files() | {"config.json": b'{"os":"linux","architecture":"amd64"}'}),
    "windows image": tar(_docker_files(small_image(os="windows"))),
    "other layer": tar(_docker_files() | {"0/layer.tar": tar({"other": b""})}),
    "cut gzip layer": tar(_docker_files() | {"0/layer.tar": IMAGE.layer[:-9]}),
    "member outside": tar(_docker_files() | {"../../evil": b"x"}),
    "absolute member": _with_member(tarfile.TarInfo("/etc/evil")),
    "link outside": _link("0/layer.tar", "../../../etc/passwd"),
    "hard link outside": _link("0/layer.tar", "../etc/passwd", tarfile.LNKTYPE),
    "link to itself": _link("0/layer.tar", "layer.tar"),
    "layer is a device": _link("0/layer.tar", "", tarfile.CHRTYPE),
    "layer is a directory": _link("0/layer.tar", "", tarfile.DIRTYPE),
    "negative size": _negative_size(),
    "endless header": _endless_header(),
    "oci: other manifest": tar(_oci_files() | {_blob(IMAGE.manifest): b"{}"}),
    "oci: other config": tar(_oci_files() | {_blob(IMAGE.config): small_image(b"2").config}),
    "oci: other layer": tar(_oci_files() | {_blob(IMAGE.layer): gzip.compress(b"x")}),
    "oci: digest outside": tar({"index.json": b'{"manifests":[{"mediaType":"x","size":1,"digest":"sha256:../../x"}]}'}),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_a_damaged_or_hostile_archive_is_an_invalid_parameter(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter):
        _prepare_all(_write(tmp_path, data))


def test_a_wrong_layer_is_told_in_dockers_words(tmp_path: Path) -> None:
    other = tar({"other": b""})
    path = _write(tmp_path, _docker_files() | {"0/layer.tar": other})
    with pytest.raises(InvalidParameter) as refused:
        _prepare_all(path)
    assert str(refused.value) == (
        f'invalid diffID for layer: expected "{digest(IMAGE.plain_layer)}", got "{digest(other)}"'
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(layout=st.sampled_from(["docker", "oci"]), where=st.floats(0, 1), damage=st.binary(min_size=1, max_size=12))
def test_an_archive_damaged_anywhere_is_read_or_refused(
    layout: str, where: float, damage: bytes, tmp_path: Path
) -> None:
    whole = tar(_docker_files() if layout == "docker" else _oci_files())
    position = int(where * len(whole))
    damaged = whole[:position] + damage + whole[position + len(damage) :]
    try:
        _prepare_all(_write(tmp_path, damaged))
    except (InvalidParameter, NotSupported):
        return
