"""The messages between the server and the page are what they are declared to be, on both sides."""

from __future__ import annotations

import json
import types
from collections.abc import Iterator
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from typing_extensions import is_typeddict

from playground import Experiment
from playground.choice import kinds
from playground.dynamics.solvers import AnySolver
from playground.engine import presets
from playground.ui import wire
from playground.ui.assets import routes
from playground.ui.contests import Contests
from playground.ui.live import Live
from playground.ui.session import Sessions
from tools.wire import FILE, written

PAGE = "a" * 32


def faults(value: Any, declared: Any, at: str = "") -> Iterator[str]:
    """Where a JSON value is not what is declared: undeclared keys, missing ones, other types."""
    origin, parts = get_origin(declared), get_args(declared)
    if declared is Any:
        return
    if is_typeddict(declared):
        hints = get_type_hints(declared, include_extras=True)
        if not isinstance(value, dict):
            yield f"{at}: {value!r:.60} is no {declared.__name__}"
            return
        yield from (f"{at}.{name} is not declared in {declared.__name__}" for name in value if name not in hints)
        for name, hint in hints.items():
            optional = get_origin(hint) is NotRequired
            if name in value:
                yield from faults(value[name], get_args(hint)[0] if optional else hint, f"{at}.{name}")
            elif not optional:
                yield f"{at}.{name} is missing"
    elif origin in (Union, types.UnionType):
        tried = [list(faults(value, part, at)) for part in parts]
        if all(tried):
            yield from min(tried, key=len)
    elif origin is Literal:
        if value not in parts:
            yield f"{at}: {value!r} is none of {parts}"
    elif origin is list and isinstance(value, list):
        for index, item in enumerate(value):
            yield from faults(item, parts[0], f"{at}[{index}]")
    elif origin is tuple and isinstance(value, list) and len(value) == len(parts):
        for index, (item, part) in enumerate(zip(value, parts, strict=True)):
            yield from faults(item, part, f"{at}[{index}]")
    elif origin is dict and isinstance(value, dict):
        for name, item in value.items():
            yield from faults(item, parts[1], f"{at}.{name}")
    elif declared is float:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            yield f"{at}: {value!r:.60} is no number"
    elif origin is not None or type(value) is not (type(None) if declared is None else declared):
        yield f"{at}: {value!r:.60} is no {declared}"


def declared(value: Any, as_: Any) -> None:
    """A message is as `playground/ui/wire.py` declares it."""
    assert list(faults(value, as_))[:5] == [], f"declare it in {wire.__file__} and run python -m tools.wire"


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(Starlette(routes=routes(Sessions()))) as client:
        yield client


def test_the_browsers_types_are_current():
    assert FILE.read_text() == written(), "run python -m tools.wire"


@pytest.mark.parametrize(("value", "as_"), [({}, wire.Origin), ({"run": "a", "round": 0, "more": 1}, wire.Origin)])
@pytest.mark.parametrize("within", [False, True])
def test_what_is_not_as_declared_is_found(value, as_, within):
    assert list(faults([value] if within else value, list[as_] if within else as_))


@pytest.mark.parametrize("name", presets.names())
def test_every_preset_opens_with_what_is_declared(client, name):
    declared(client.get(f"/playground/presets/{name}.json").json(), wire.Opening)


@pytest.mark.parametrize("solver", kinds(AnySolver), ids=lambda solver: solver.kind_name())
def test_every_solver_is_told_as_declared(solver):
    model = "equation" if solver.of_equations else "flow_matching"
    sampler = Experiment.parse({"sampler": {"solver": solver.kind_name()}, "model": model}).sampler
    declared(sampler.describe() | sampler.guided(), wire.SceneSampler)


SETTING = {"source": "gaussian", "target": "ring", "model": "flow_matching", "training": {"points": None, "seed": 0}}
EXPERIMENT = {name: SETTING[name] for name in ("source", "target", "model")}
RUN = {"page": PAGE, "run": "preset ring", "round": 0}
SQUARE = {"low": [-3, -3], "high": [3, 3]}


@pytest.mark.parametrize(
    ("route", "question", "as_"),
    [
        ("write", EXPERIMENT, wire.Written),
        ("alternatives", EXPERIMENT, wire.Alternatives),
        ("alternatives", EXPERIMENT | {"target": {"kind": "ring", "modes": -1}}, wire.Alternatives),
        ("write", {"target": "nothing"}, wire.Refused),
        ("coupling", {"page": PAGE, "setting": SETTING}, wire.Pairing),
        ("exact", {"page": PAGE, "setting": SETTING}, wire.ExactAnswer),
        ("density/surface", RUN | SQUARE | {"t": 1}, wire.DensitySurface),
        ("density/likelihood", RUN, wire.Likelihood),
        ("density/along", RUN | {"probes": [{"point": [0, 0], "t": 0.5}]}, wire.Ways),
        ("carry", RUN | SQUARE, wire.WireTrajectory),
        ("sample", RUN, wire.WireTrajectory),
        ("sample", {"page": PAGE, "run": "gone"}, wire.BusyAnswer),
        ("reference", {"page": PAGE, "source": "gaussian", "target": "ring"}, wire.Reference),
    ],
)
def test_every_answer_is_as_declared(client, route, question, as_):
    declared(client.post(f"/playground/{route}", json=question).json(), as_)


def told(updates: Iterator[Any], prop: str) -> list[Any]:
    """What the updates of an event say in one prop."""
    parts = [update.props.get(prop) or update.constructor_args.get(prop) for update in updates]
    return [json.loads(part) for part in parts if part]


SMALL = EXPERIMENT | {"network": {"width": 8, "depth": 1}, "training": {"steps": 20, "batch": 16}}


def test_training_tells_what_is_declared():
    request = json.dumps({"page": PAGE, "turn": 1, "experiment": SMALL})
    updates = list(Live(Sessions()).train(request))
    (scene,), snapshots = told(updates, "scene"), told(updates, "value")
    declared(scene, wire.Scene)
    assert snapshots and snapshots[-1]["done"]
    declared(snapshots, list[wire.WireSnapshot])


def test_what_is_wrong_is_told_as_declared():
    request = json.dumps({"page": PAGE, "turn": 1, "experiment": {"target": {"kind": "ring", "modes": -1}}})
    (problems,) = told(Live(Sessions()).train(request), "problems")
    assert problems
    declared(problems, list[wire.WireProblem])


def test_a_contest_tells_what_is_declared():
    entrants = [{"key": key, "title": key, "experiment": SMALL} for key in ("a", "b")]
    asked = {"page": PAGE, "entrants": entrants, "budget": "steps", "amount": 20}
    contests = Contests(Sessions())
    updates = list(contests.train(json.dumps(asked)))
    declared(told(updates, "scene"), list[wire.ContestScene])
    declared(told(updates, "value"), list[wire.ContestShots])
    seeds = told(contests.seeds(json.dumps(asked | {"count": 1})), "value")
    assert seeds[-1]["seeds"]["ended"] == "done"
    declared(seeds, list[wire.ContestSeeds])
