"""The backend's verbs, bound to one backend: the only file of this room that names the backend's modules."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

from sockerless.api.verbs import Attachment, AttachRequest, ExecStart, PullRequest, Verbs
from sockerless.backend import (
    archive,
    changes,
    containers_create,
    containers_find,
    containers_list,
    containers_pause,
    containers_remove,
    containers_rename,
    containers_start,
    containers_stats,
    containers_stop,
    containers_top,
    containers_update,
    containers_wait,
    events,
    exec,
    images_find,
    images_list,
    images_load,
    images_pull,
    images_remove,
    images_tag,
    logs,
    streams,
    system,
)
from sockerless.backend.context import Backend
from sockerless.types import Container, JsonObject


def bind(backend: Backend) -> Verbs:
    """What the API can do with this backend."""
    return Verbs(
        info=partial(system.info, backend),
        version=partial(system.version, backend),
        create=partial(containers_create.create, backend),
        find=partial(containers_find.find, backend),
        list_containers=partial(containers_list.list_containers, backend),
        start=partial(containers_start.start, backend),
        stop=partial(containers_stop.stop, backend),
        restart=partial(containers_stop.restart, backend),
        kill=partial(containers_stop.kill, backend),
        begin_wait=partial(containers_wait.begin_wait, backend),
        remove=partial(containers_remove.remove, backend),
        prune=partial(containers_remove.prune, backend),
        rename=partial(containers_rename.rename, backend),
        attach=partial(_attach, backend),
        resize=partial(streams.resize, backend),
        pause=partial(containers_pause.pause, backend),
        unpause=partial(containers_pause.unpause, backend),
        top=partial(containers_top.top, backend),
        stats=partial(containers_stats.stats, backend),
        update=partial(containers_update.update, backend),
        logs=partial(logs.logs, backend),
        create_exec=partial(exec.create, backend),
        check_exec=partial(exec.check, backend),
        start_exec=partial(_start_exec, backend),
        inspect_exec=partial(exec.inspect, backend),
        resize_exec=partial(exec.resize, backend),
        unfinished_execs=partial(exec.unfinished, backend),
        stat_path=partial(archive.stat_path, backend),
        get_archive=partial(archive.get_archive, backend),
        put_archive=partial(archive.put_archive, backend),
        export=partial(archive.export, backend),
        changes=partial(changes.changes, backend),
        find_image=partial(images_find.find, backend.images),
        list_images=partial(images_list.list_images, backend.images),
        pull=partial(_pull, backend),
        load=partial(images_load.load, backend.images),
        tag_image=partial(images_tag.tag, backend.images),
        remove_image=partial(_remove_image, backend),
        events=partial(events.stream, backend),
    )


async def _attach(backend: Backend, reference: str, asked: AttachRequest) -> Attachment:
    return await streams.attach(
        backend,
        reference,
        stdin=asked.stdin,
        stdout=asked.stdout,
        stderr=asked.stderr,
        stream=asked.stream,
        logs=asked.logs,
        detach_keys=asked.detach_keys,
    )


async def _start_exec(backend: Backend, exec_id: str, asked: ExecStart) -> Attachment:
    return await exec.start(backend, exec_id, detach=asked.detach, tty=asked.tty, console_size=asked.console_size)


def _pull(backend: Backend, asked: PullRequest) -> AsyncIterator[JsonObject]:
    return images_pull.pull(backend.images, asked.from_image, asked.tag, asked.auth, asked.platform)


def _remove_image(backend: Backend, reference: str, force: bool, prune: bool) -> list[JsonObject]:
    def in_use(image_id: str) -> list[Container]:
        return [container for container in backend.store.containers() if container.image_id == image_id]

    return images_remove.remove(backend.images, reference, force, prune, in_use)
