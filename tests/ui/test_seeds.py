"""Many seeds of every model: what is counted, what is told meanwhile, a stop in the middle, and its bounds."""

from __future__ import annotations

import pytest

from playground.ui.contests import Contests
from playground.ui.session import Sessions
from tests.ui.test_contests import KEY, asked, entrant, sentences, told


@pytest.fixture
def contests() -> Contests:
    return Contests(Sessions())


def test_seeds_count_the_modes_of_every_entrant(contests):
    found = told(contests.seeds(asked(entrant("flow"), entrant("gan", "gan"), count=2)))
    messages = [value["seeds"] for value in found["value"]]
    last = messages[-1]
    assert (last["share"], last["ended"], last["at"]) == (1, "done", None)
    assert [(row["key"], row["seed"]) for row in last["rows"]] == [("flow", 0), ("gan", 0), ("flow", 1), ("gan", 1)]
    assert all(0 <= row["strict"] <= row["covered"] <= row["total"] == 8 for row in last["rows"])
    assert all(row["spread"] > 0.5 for row in last["rows"] if row["covered"])
    shares = [one["share"] for one in messages]
    assert shares == sorted(shares)
    for one in messages[:-1]:
        assert one["all"] == 4 and one["ended"] is None
        order = [("flow", 0), ("gan", 0), ("flow", 1), ("gan", 1)]
        assert (one["at"]["key"], one["at"]["seed"]) == order[len(one["rows"])]


def test_different_seeds_differ_and_the_same_seed_does_not(contests):
    request = asked(entrant("flow"), count=2, amount=60)
    first, again = (told(contests.seeds(request))["value"][-1]["seeds"]["rows"] for _ in range(2))
    assert first == again
    assert first[0] | {"seed": 1} != first[1]


def test_a_stop_in_the_middle_keeps_what_is_finished(contests):
    session = contests.sessions.of(KEY)
    updates = contests.seeds(asked(entrant("flow"), entrant("gan", "gan"), count=2, amount=100))
    for update in updates:
        if len(told([update])["value"][0]["seeds"]["rows"]) == 1:
            session.stop.set()
            break
    (last,) = told(updates)["value"]
    assert last["seeds"]["ended"] == "stopped"
    assert [row["key"] for row in last["seeds"]["rows"]] == ["flow"]
    assert not session.turn.locked()


def test_seeds_are_bounded(contests):
    assert "out of bounds" in sentences(told(contests.seeds(asked(entrant("flow"), count=500))))
