"""What every store does: written against store/base.py's Store and run on each of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields, replace

import pytest

from sockerless import errors
from sockerless.store.base import KEPT_EVENTS, Store
from sockerless.types import Container, ContainerState, Event
from tests.store.conftest import container, definition, image

Reopen = Callable[[], Store]


def test_the_installation_id_is_16_hex_digits_made_once(reopen: Reopen) -> None:
    made = reopen().installation_id()
    assert re.fullmatch(r"[0-9a-f]{16}", made)
    assert reopen().installation_id() == made


def test_a_new_store_is_empty(store: Store) -> None:
    assert (store.containers(), store.images(), store.task_definitions()) == ([], [], [])


def test_the_example_container_has_no_field_left_at_its_default() -> None:
    example = container(1)
    assert [f.name for f in fields(Container) if getattr(example, f.name) == f.default] == []


def test_a_container_comes_back_whole_from_a_store_opened_again(reopen: Reopen) -> None:
    reopen().save_container(container(1))
    assert reopen().container(container(1).id) == container(1)


def test_a_container_without_task_comes_back_without(store: Store) -> None:
    bare = container(1, task=None, state=ContainerState(), log_streams=())
    store.save_container(bare)
    assert store.container(bare.id) == bare


def test_a_container_that_is_not_there_is_not_found(store: Store) -> None:
    with pytest.raises(errors.NotFound, match="No such container: abc"):
        store.container("abc")


def test_a_full_id_is_needed_where_the_full_id_is_asked(store: Store) -> None:
    store.save_container(container(1))
    with pytest.raises(errors.NotFound):
        store.container(container(1).id[:12])


def test_saving_again_replaces_the_record(store: Store) -> None:
    store.save_container(container(1))
    changed = replace(container(1), state=ContainerState("running"), task=None, name="renamed")
    store.save_container(changed)
    assert store.containers() == [changed]
    assert store.find_containers("name1") == []
    assert store.find_containers("renamed") == [changed]


def test_containers_are_listed_newest_first_and_at_equal_times_last_saved_first(store: Store) -> None:
    older, newer = container(1, created_at_ns=100), container(2, created_at_ns=200)
    oldest, same = container(3, created_at_ns=50), container(4, created_at_ns=200)
    for one in (older, newer, oldest, same):
        store.save_container(one)
    assert [one.id for one in store.containers()] == [same.id, newer.id, older.id, oldest.id]


def test_changing_a_container_does_not_change_its_place(store: Store) -> None:
    for one in (container(1), container(2)):
        store.save_container(one)
    store.save_container(replace(container(1), restart_count=9))
    assert [one.id for one in store.containers()] == [container(2).id, container(1).id]


def test_containers_are_found_by_the_beginning_of_their_id(store: Store) -> None:
    ab1, ab2, other = (container(1, id=start + "0" * 61, name=start) for start in ("ab1", "ab2", "cd0"))
    for one in (ab1, ab2, other):
        store.save_container(one)
    assert {one.id for one in store.find_containers("ab")} == {ab1.id, ab2.id}
    assert store.find_containers(ab1.id) == [ab1]
    assert store.find_containers("b1") == []


def test_an_exact_name_wins_over_the_beginning_of_an_id(store: Store) -> None:
    named, with_id = container(1, "abc"), container(2, id="abc" + "0" * 61)
    store.save_container(named)
    store.save_container(with_id)
    assert store.find_containers("abc") == [named]


@pytest.mark.parametrize("asked", ["", "%", "_", "name", "/name1", "NAME1", "0' OR '1'='1"])
def test_what_is_neither_a_name_nor_the_beginning_of_an_id_finds_nothing(store: Store, asked: str) -> None:
    store.save_container(container(1))
    assert store.find_containers(asked) == []


def test_a_taken_name_is_a_conflict_in_dockers_words_and_changes_nothing(store: Store) -> None:
    store.save_container(container(1, "web"))
    with pytest.raises(errors.Conflict) as caught:
        store.save_container(container(2, "web"))
    assert caught.value.message == (
        f'Conflict. The container name "/web" is already in use by container "{container(1).id}". '
        "You have to remove (or rename) that container to be able to reuse that name."
    )
    assert store.containers() == [container(1, "web")]


def test_renaming_to_a_taken_name_is_a_conflict_and_keeps_the_old_name(store: Store) -> None:
    store.save_container(container(1, "web"))
    store.save_container(container(2, "db"))
    with pytest.raises(errors.Conflict):
        store.save_container(container(2, "web"))
    assert store.find_containers("db") == [container(2, "db")]


def test_a_deleted_containers_name_is_free_again(store: Store) -> None:
    store.save_container(container(1, "web"))
    store.delete_container(container(1).id)
    store.save_container(container(2, "web"))
    assert store.find_containers("web") == [container(2, "web")]


def test_deleting_what_is_gone_does_nothing(store: Store) -> None:
    store.delete_container("gone")
    store.delete_image("gone")
    store.delete_task_definition("gone")


def test_deletions_outlive_the_daemon(reopen: Reopen) -> None:
    store = reopen()
    store.save_container(container(1))
    store.save_image(image(1, "a:1"))
    store.save_task_definition(definition("s"))
    store.delete_container(container(1).id)
    store.delete_image(image(1).id)
    store.delete_task_definition("s")
    store = reopen()
    assert (store.containers(), store.images(), store.task_definitions()) == ([], [], [])


def test_images_come_back_whole_newest_record_first(reopen: Reopen) -> None:
    store = reopen()
    store.save_image(image(1, "a:1", "b:1"))
    store.save_image(image(2))
    assert reopen().images() == [image(2), image(1, "a:1", "b:1")]


def test_a_repo_tag_moves_to_the_image_saved_last(store: Store) -> None:
    store.save_image(image(1, "a:1", "a:latest"))
    store.save_image(image(2, "b:1"))
    store.save_image(image(3, "a:latest", "b:1", "c:1"))
    assert {one.id: one.repo_tags for one in store.images()} == {
        image(1).id: ("a:1",),
        image(2).id: (),
        image(3).id: ("a:latest", "b:1", "c:1"),
    }


def test_saving_an_image_again_replaces_its_tags_and_frees_the_ones_it_lost(store: Store) -> None:
    store.save_image(image(1, "a:1", "a:2"))
    store.save_image(image(1, "a:2"))
    store.save_image(image(2, "a:1"))
    assert store.images() == [image(2, "a:1"), image(1, "a:2")]


def test_a_deleted_images_tags_are_free_again(store: Store) -> None:
    store.save_image(image(1, "a:1"))
    store.delete_image(image(1).id)
    store.save_image(image(2, "a:1"))
    assert store.images() == [image(2, "a:1")]


def test_a_tag_given_twice_is_kept_as_given(store: Store) -> None:
    store.save_image(image(1, "a:1", "a:1"))
    assert store.images() == [image(1, "a:1", "a:1")]


def test_definitions_are_kept_by_shape(reopen: Reopen) -> None:
    store = reopen()
    store.save_task_definition(definition("s1"))
    store.save_task_definition(definition("s2"))
    store.save_task_definition(definition("s1", 2))
    found = {record.shape: record for record in reopen().task_definitions()}
    assert found == {"s1": definition("s1", 2), "s2": definition("s2")}


def event(number: int) -> Event:
    return Event("container", f"action {number}", "id", {"name": "ü"}, number)


def test_events_come_back_in_order_with_their_places_after_a_restart(reopen: Reopen) -> None:
    store = reopen()
    assert store.last_event() == 0
    assert [store.add_event(event(number)) for number in (1, 2, 3)] == [1, 2, 3]
    store = reopen()
    assert store.events(after=1, limit=10) == [replace(event(2), sequence=2), replace(event(3), sequence=3)]
    assert [kept.sequence for kept in store.events(after=0, limit=2)] == [1, 2]
    assert store.last_event() == 3
    assert store.events(after=3, limit=10) == []


def test_only_the_newest_events_are_kept(store: Store) -> None:
    for number in range(KEPT_EVENTS + 5):
        store.add_event(event(number))
    assert store.events(after=0, limit=1)[0].sequence == 6
    assert store.last_event() == KEPT_EVENTS + 5
