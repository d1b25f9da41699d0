"""References are read as Docker reads them; the real engine is asked where it matters."""

from __future__ import annotations

import docker
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockerless.errors import InvalidParameter
from sockerless.registry.reference import Reference, check_digest, parse

DIGEST = "sha256:" + "ab" * 32

NORMALISED = [
    ("alpine", "docker.io/library/alpine", "alpine"),
    ("alpine:3.20", "docker.io/library/alpine:3.20", "alpine:3.20"),
    ("library/alpine", "docker.io/library/alpine", "alpine"),
    ("docker.io/alpine", "docker.io/library/alpine", "alpine"),
    ("index.docker.io/library/alpine:1", "docker.io/library/alpine:1", "alpine:1"),
    ("user/app", "docker.io/user/app", "user/app"),
    ("docker.io/library/a/b", "docker.io/library/a/b", "library/a/b"),
    ("localhost/app", "localhost/app", "localhost/app"),
    ("localhost:5000/app:x", "localhost:5000/app:x", "localhost:5000/app:x"),
    ("quay.io/org/app", "quay.io/org/app", "quay.io/org/app"),
    ("Host/app", "Host/app", "Host/app"),
    ("[::1]:5000/app", "[::1]:5000/app", "[::1]:5000/app"),
    (f"alpine@{DIGEST}", f"docker.io/library/alpine@{DIGEST}", f"alpine@{DIGEST}"),
    (f"alpine:1@{DIGEST}", f"docker.io/library/alpine:1@{DIGEST}", f"alpine:1@{DIGEST}"),
    ("a__b/c--d.e:T_x-1.", "docker.io/a__b/c--d.e:T_x-1.", "a__b/c--d.e:T_x-1."),
    ("sha256:abc", "docker.io/library/sha256:abc", "sha256:abc"),
]

MALFORMED = [
    ("", "invalid reference format"),
    ("UPPER", "invalid reference format: repository name must be lowercase"),
    ("a/B", "invalid reference format: repository name must be lowercase"),
    ("a:", "invalid reference format"),
    (":a", "invalid reference format"),
    ("a//b", "invalid reference format"),
    ("a/", "invalid reference format"),
    ("-a", "invalid reference format"),
    ("a..b", "invalid reference format"),
    ("a___b", "invalid reference format"),
    ("a b", "invalid reference format"),
    ("a\n", "invalid reference format"),
    ("http://x/y", "invalid reference format"),
    ("a:" + "t" * 129, "invalid reference format"),
    ("a@sha256:abc", "invalid reference format"),
    ("a@sha256:" + "a" * 40, "invalid checksum digest length"),
    ("a@md5:" + "a" * 32, "unsupported digest algorithm"),
    ("a@sha256:" + "A" * 64, "invalid checksum digest format"),
    ("a:ü", "invalid reference format"),
    ("a" * 64, "invalid repository name (" + "a" * 64 + "), cannot specify 64-byte hexadecimal strings"),
    ("a/" * 130 + "b", "repository name must not be more than 255 characters"),
]


@pytest.mark.parametrize(("text", "full", "familiar"), NORMALISED)
def test_a_reference_is_normalised_as_docker_does(text: str, full: str, familiar: str) -> None:
    reference = parse(text)
    assert (str(reference), reference.familiar) == (full, familiar)


@pytest.mark.parametrize(("text", "message"), MALFORMED)
def test_a_malformed_reference_is_refused_in_dockers_words(text: str, message: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        parse(text)
    assert str(refused.value) == message


NEWER_THAN_20_10 = {"Host/app", "[::1]:5000/app"}
"""Grammar that the engine tested with may not know yet."""


@pytest.mark.engine
def test_the_engine_accepts_and_names_the_same_references(engine: docker.APIClient, engine_image: str) -> None:
    texts = [row[0] for row in NORMALISED + MALFORMED if row[0] and "@" not in row[0]]
    for text in texts:
        if text in NEWER_THAN_20_10 or text.startswith("sha256:"):
            continue
        try:
            expected = parse(text).with_default_tag().familiar
        except InvalidParameter:
            with pytest.raises(docker.errors.APIError):
                engine.tag(engine_image, text)
            continue
        engine.tag(engine_image, text)
        assert expected in engine.inspect_image(engine_image)["RepoTags"], text
        engine.remove_image(text)


_component = st.from_regex(r"\A[a-z0-9]{1,5}((\.|_|__|-{1,3})[a-z0-9]{1,5}){0,2}\Z")
_references = st.builds(
    Reference,
    st.sampled_from(["docker.io", "localhost", "127.0.0.1:5000", "example.com", "[::1]:80"]),
    st.lists(_component, min_size=1, max_size=3).map(lambda parts: "/".join(["user", *parts])),
    st.one_of(st.just(""), st.from_regex(r"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}\Z")),
    st.one_of(st.just(""), st.from_regex(r"\Asha256:[0-9a-f]{64}\Z")),
)


@given(_references)
def test_what_is_written_full_or_familiar_is_read_back_the_same(reference: Reference) -> None:
    assert parse(str(reference)) == reference
    assert parse(reference.familiar) == reference


@given(st.text(st.sampled_from("aZ0.:/@-_ sha256\n\u00e9[]"), max_size=40))
def test_any_text_is_either_a_stable_reference_or_refused(text: str) -> None:
    try:
        reference = parse(text)
    except InvalidParameter:
        return
    assert parse(str(reference)) == reference


def test_a_tag_or_digest_given_apart_is_checked() -> None:
    with pytest.raises(InvalidParameter, match="invalid tag format"):
        parse("a").with_tag("x y")
    with pytest.raises(InvalidParameter, match="invalid checksum digest format"):
        parse("a").with_digest("nothing")
    assert parse("a:b").with_digest(DIGEST) == parse(f"a@{DIGEST}")
    assert check_digest("sha512:" + "0" * 128)
