"""Containers: create, list, inspect and the verbs that answer 204, as the wire and the clients see them."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import docker
import pytest

from sockerless.api.containers_json import human_duration, status_text, summary
from sockerless.types import ContainerState
from tests.api.conftest import Served

S = 1_000_000_000
NEVER = "0001-01-01T00:00:00Z"


async def create(served: Served, name: str = "a", **config: object) -> str:
    """The id of a created container."""
    body = {"Image": "busybox:test", "Cmd": ["sleep"], **config}
    status, _, answer = await served.request("POST", f"/containers/create?name={name}", body)
    assert status == 201, answer
    return str(json.loads(answer)["Id"])


async def test_create_answers_the_id_and_a_list_of_warnings(served: Served) -> None:
    status, headers, body = await served.request("POST", "/containers/create", {"Image": "busybox:test"})
    assert (status, headers["content-type"]) == (201, "application/json")
    assert body == b'{"Id":"' + b"01" * 32 + b'","Warnings":[]}\n'


async def test_a_created_container_as_inspect_shows_it(served: Served) -> None:
    container_id = await create(served, Env=None, Labels={"k": "v"}, HostConfig={"Memory": 5, "CapAdd": None})
    _, _, body = await served.request("GET", "/containers/a/json")
    document = json.loads(body)
    assert document["Id"] == container_id
    assert document["Name"] == "/a"
    assert (document["Path"], document["Args"]) == ("sleep", [])
    assert document["State"] == {
        "Status": "created",
        "Running": False,
        "Paused": False,
        "Restarting": False,
        "OOMKilled": False,
        "Dead": False,
        "Pid": 0,
        "ExitCode": 0,
        "Error": "",
        "StartedAt": NEVER,
        "FinishedAt": NEVER,
    }
    assert document["Mounts"] == []
    assert document["ExecIDs"] is None
    assert document["Config"]["Hostname"] == container_id[:12]
    assert document["Config"]["Env"] == []
    assert document["Config"]["Labels"] == {"k": "v"}
    assert "Healthcheck" not in document["Config"]
    assert document["NetworkSettings"]["Ports"] == {}
    assert document["NetworkSettings"]["Networks"]["bridge"]["IPAddress"] == ""
    host = document["HostConfig"]
    assert host["LogConfig"] == {"Type": "json-file", "Config": {}}
    assert host["NetworkMode"] == "default"
    assert host["RestartPolicy"] == {"Name": "no", "MaximumRetryCount": 0}
    assert host["ShmSize"] == 64 << 20
    assert (host["Memory"], host["Privileged"], host["PortBindings"]) == (5, False, {})


async def test_a_running_container_shows_its_address_and_times(served: Served) -> None:
    await create(served, ExposedPorts={"80/tcp": {}})
    await served.request("POST", "/containers/a/start")
    _, _, body = await served.request("GET", "/containers/a/json")
    document = json.loads(body)
    assert document["State"]["Running"] is True
    assert document["State"]["Pid"] == 7
    assert document["State"]["StartedAt"] > "2020"
    assert document["State"]["FinishedAt"] == NEVER
    assert document["NetworkSettings"]["IPAddress"] == "10.0.0.7"
    assert document["NetworkSettings"]["Networks"]["bridge"]["IPAddress"] == "10.0.0.7"
    assert document["NetworkSettings"]["Ports"] == {"80/tcp": None}


async def test_the_summary_of_a_container(served: Served) -> None:
    await create(served, Cmd=["sh", "-c", "echo a b"], Labels={"k": "v"})
    _, _, body = await served.request("GET", "/containers/json?all=1")
    (entry,) = json.loads(body)
    assert entry["Names"] == ["/a"]
    assert entry["Command"] == "sh -c 'echo a b'"
    assert (entry["Ports"], entry["Mounts"], entry["Labels"]) == ([], [], {"k": "v"})
    assert (entry["State"], entry["Status"]) == ("created", "Created")
    assert entry["HostConfig"] == {"NetworkMode": "default"}
    assert list(entry["NetworkSettings"]["Networks"]) == ["bridge"]
    assert "SizeRw" not in entry


@pytest.mark.parametrize(
    ("target", "call"),
    [
        ("/containers/json", ("list", {}, False, 0)),
        ("/containers/json?all=true&limit=5", ("list", {}, True, 5)),
        ("/containers/json?limit=-1&all=0&size=0&trunc_cmd=0", ("list", {}, False, -1)),
        ("/containers/json?filters=%7B%22label%22:%5B%22a=b%22%5D%7D", ("list", {"label": ("a=b",)}, False, 0)),
        ("/containers/json?filters=%7B%22id%22:%7B%22x%22:true%7D%7D", ("list", {"id": ("x",)}, False, 0)),
    ],
)
async def test_list_options_reach_the_verb(served: Served, target: str, call: tuple[object, ...]) -> None:
    await served.request("GET", target)
    assert served.engine.calls[-1] == call


@pytest.mark.parametrize(
    ("method", "target", "status", "body"),
    [
        ("POST", "/containers/a/start", 204, None),
        ("POST", "/containers//a/start", 204, None),
        ("POST", "/containers/a/restart?t=3", 204, ("restart", "a", 3, None)),
        ("POST", "/containers/a/rename?name=b", 204, None),
        ("POST", "/containers/a/resize?h=24&w=80", 200, None),
        ("DELETE", "/containers/a?v=False&link=False&force=False", 204, ("remove", "a", False, False)),
        ("DELETE", "/containers/a?v=1&force=true", 204, ("remove", "a", True, True)),
    ],
)
async def test_a_verb_that_succeeds_has_an_empty_answer(
    served: Served, method: str, target: str, status: int, body: tuple[object, ...] | None
) -> None:
    await create(served)
    answered, headers, payload = await served.request(method, target)
    assert (answered, payload) == (status, b"")
    assert "content-type" not in headers
    if body is not None:
        assert served.engine.calls[-1] == body


@pytest.mark.parametrize(
    ("query", "call"),
    [
        ("", ("stop", "a", None, None)),
        ("?t=0", ("stop", "a", 0, None)),
        ("?t=-1&signal=INT", ("stop", "a", -1, "INT")),
    ],
)
async def test_stop_options_reach_the_verb(served: Served, query: str, call: tuple[object, ...]) -> None:
    await create(served)
    await served.request("POST", "/containers/a/start")
    status, _, _ = await served.request("POST", f"/containers/a/stop{query}")
    assert (status, served.engine.calls[-1]) == (204, call)


async def test_a_stop_signal_before_api_1_42_is_not_read(served: Served) -> None:
    await create(served)
    await served.request("POST", "/v1.41/containers/a/stop?signal=INT")
    assert served.engine.calls[-1] == ("stop", "a", None, None)


@pytest.mark.parametrize(
    ("method", "target", "status", "message"),
    [
        ("POST", "/containers/nope/start", 404, "No such container: nope"),
        ("POST", "/containers/a/kill", 409, "Cannot kill container: a: Container "),
        ("POST", "/containers/a/kill?signal=FOO", 400, "Invalid signal: FOO"),
        ("POST", "/containers/a/stop?t=soon", 400, 'strconv.Atoi: parsing "soon": invalid syntax'),
        ("POST", "/containers/a/resize?h=a&w=80", 400, 'strconv.Atoi: parsing "a": invalid syntax'),
        ("POST", "/containers/a/rename", 400, "Neither old nor new names may be empty"),
        ("DELETE", "/containers/a?link=1", 501, "link (--link) is not available in this version of sockerless: "),
        ("GET", "/containers/a/json?size=1", 501, "size (--size) is not available in this version of sockerless: "),
        ("POST", "/containers/prune?filters=%7B%22x%22:%5B%22y%22%5D%7D", 400, "invalid filter 'x'"),
        (
            "POST",
            "/containers/prune?filters=%7B%22until%22:%5B%22y%22%5D%7D",
            400,
            'failed to parse value as time or duration: "y"',
        ),
    ],
)
async def test_a_verb_that_is_refused(served: Served, method: str, target: str, status: int, message: str) -> None:
    await create(served)
    answered, _, body = await served.request(method, target)
    assert answered == status
    assert json.loads(body)["message"].startswith(message)


async def test_starting_what_runs_is_304_without_a_body(served: Served) -> None:
    await create(served)
    await served.request("POST", "/containers/a/start")
    status, headers, body = await served.request("POST", "/containers/a/start")
    assert (status, body) == (304, b"")
    assert "content-type" not in headers


async def test_start_with_a_body_is_refused(served: Served) -> None:
    await create(served)
    status, _, body = await served.request("POST", "/containers/a/start", {"Binds": ["/a:/b"]})
    assert status == 400
    assert b"starting container with non-empty request body" in body


async def test_start_with_an_empty_object_is_a_start(served: Served) -> None:
    await create(served)
    assert (await served.request("POST", "/containers/a/start", {}))[0] == 204


async def test_prune_chooses_by_labels_and_age(served: Served) -> None:
    old = await create(served, "old", Labels={"k": "v"})
    kept = await create(served, "kept", Labels={"k": "v", "keep": ""})
    engine = served.engine
    for container_id in (old, kept):
        engine.containers[container_id] = replace(engine.containers[container_id], created_at_ns=1)
    new = await create(served, "new", Labels={"k": "v"})
    asked = json.dumps({"label": {"k=v": True}, "label!": {"keep": True}, "until": {"1h": True}})
    _, _, body = await served.request("POST", f"/containers/prune?filters={asked.replace(' ', '')}")
    assert json.loads(body) == {"ContainersDeleted": [old], "SpaceReclaimed": 0}
    assert set(engine.containers) == {kept, new}


async def test_prune_of_nothing_answers_null(served: Served) -> None:
    _, _, body = await served.request("POST", "/containers/prune")
    assert json.loads(body) == {"ContainersDeleted": None, "SpaceReclaimed": 0}


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (ContainerState(), "Created"),
        (ContainerState("created", exit_code=127, error="not found"), "Created"),
        (ContainerState("running", started_at_ns=99 * S), "Up 1 second"),
        (ContainerState("running", started_at_ns=100 * S), "Up Less than a second"),
        (ContainerState("running", started_at_ns=101 * S), "Up Less than a second"),
        (ContainerState("paused", started_at_ns=10 * S), "Up About a minute (Paused)"),
        (ContainerState("exited", exit_code=137, started_at_ns=1, finished_at_ns=99 * S), "Exited (137) 1 second ago"),
        (ContainerState("removing"), "Removal In Progress"),
        (ContainerState("dead"), "Dead"),
    ],
)
def test_the_status_column(state: ContainerState, text: str) -> None:
    assert status_text(state, 100 * S) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "Less than a second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "About a minute"),
        (120, "2 minutes"),
        (3599, "59 minutes"),
        (3600, "About an hour"),
        (5399, "About an hour"),
        (5400, "2 hours"),
        (47 * 3600, "47 hours"),
        (48 * 3600, "2 days"),
        (14 * 86400, "2 weeks"),
        (60 * 86400, "2 months"),
        (730 * 86400, "2 years"),
    ],
)
def test_durations_are_said_as_docker_says_them(seconds: int, text: str) -> None:
    assert human_duration(seconds) == text


async def test_a_summary_reads_the_words_of_a_string_command(served: Served) -> None:
    container_id = await create(served)
    container = replace(served.engine.containers[container_id], config={"Entrypoint": "run", "Cmd": ["a"]})
    assert summary(container, 0)["Command"] == "run a"


async def test_the_cli_lists_inspects_renames_and_removes(served: Served) -> None:
    container_id = await create(served)
    code, out, err = await served.docker(
        "ps", "-a", "--format", "{{.ID}} {{.Image}} {{.Command}} {{.Status}} {{.Names}}"
    )
    assert (code, out.decode()) == (0, f'{container_id[:12]} busybox:test "sleep" Created a\n'), err
    assert await served.docker("rename", "a", "b") == (0, b"", b"")
    code, out, err = await served.docker(
        "inspect", "-f", "{{.Name}} {{.State.Status}} {{.HostConfig.LogConfig.Type}}", "b"
    )
    assert (code, out) == (0, b"/b created json-file\n"), err
    assert await served.docker("start", "b") == (0, b"b\n", b"")
    assert await served.docker("port", "b") == (0, b"", b"")
    assert await served.docker("stop", "-t", "1", "b") == (0, b"b\n", b"")
    assert await served.docker("rm", "-f", "-v", "b") == (0, b"b\n", b"")
    code, out, err = await served.docker("rm", "b")
    assert code == 1
    assert b"No such container: b" in err


async def test_docker_py_reads_a_container(served: Served) -> None:
    await create(served, Labels={"k": "v"})

    def session() -> tuple[str, str, dict[str, str], list[str]]:
        client = docker.DockerClient(base_url=served.host)
        try:
            container = client.containers.get("a")
            everything = [each.name for each in client.containers.list(all=True, filters={"label": "k"})]
            return container.name, container.status, container.labels, everything
        finally:
            client.close()

    assert await asyncio.to_thread(session) == ("a", "created", {"k": "v"}, ["a"])
