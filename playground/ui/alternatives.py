"""Which of the form's alternatives the rest of an experiment does not allow, and why: found by trying each of them.

Whoever declares a choice writes its validator once; the form then does not offer what that would refuse. Nothing here
knows any kind: validation takes microseconds, so every kind of every union and every option of every choice is put in
the place of the present one, with the rest unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from playground.choice import InvalidExperiment
from playground.experiment import Experiment

Refusals = dict[str, list[dict[str, Any]]]
"""By dotted path of a field: [{"value": a kind, an option or None, "sentence": why not}, ...]."""


def refused(given: Any, description: dict[str, Any]) -> Refusals:
    """What the experiment `given`, plain data, does not allow; `description` is that of ui.form for Experiment.

    An alternative is refused when it brings a problem that is not there now. Raises InvalidExperiment for data that is
    no mapping.
    """
    known = _sentences(given)
    found: Refusals = {}
    for path, value, alternative in _alternatives(description, given, ()):
        new = [sentence for sentence in _sentences(_put(given, path, alternative)) if sentence not in known]
        if new:
            found.setdefault(".".join(path), []).append({"value": value, "sentence": new[0]})
    return found


def _sentences(given: Any) -> list[str]:
    try:
        Experiment.parse(given)
    except InvalidExperiment as error:
        if not isinstance(given, dict):
            raise
        return [problem.sentence for problem in error.problems]
    return []


def _alternatives(
    field: dict[str, Any], value: Any, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """(path, what is chosen, what then stands there) for all that could stand in the place of what does."""
    if field["type"] in ("union", "choice", "bool") and field.get("optional") and value is not None:
        yield path, None, None
    if field["type"] == "bool" and isinstance(value, bool):
        yield path, not value, not value
    if field["type"] == "choice":
        for option in field["options"]:
            if option["value"] != value:
                yield path, option["value"], option["value"]
    if field["type"] == "union":
        chosen = value.get("kind") if isinstance(value, dict) else value
        now = next((kind for kind in field["kinds"] if kind["kind"] == chosen), None)
        for kind in field["kinds"]:
            if kind is not now and not any(each.get("required") for each in kind["fields"]):
                yield path, kind["kind"], _switched(now, value, kind)
        yield from _within(now["fields"] if now else [], value, path)
    if field["type"] == "group":
        yield from _within(field["fields"], value, path)


def _within(
    fields: list[dict[str, Any]], value: Any, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    if isinstance(value, dict):
        for field in fields:
            yield from _alternatives(field, value.get(field["name"], field.get("default")), (*path, field["name"]))


def _switched(before: dict[str, Any] | None, value: Any, kind: dict[str, Any]) -> dict[str, Any]:
    """What the form makes of a union's value when its kind is changed: what both kinds have stays as it was set."""
    alternative = {"kind": kind["kind"]}
    if before is None or not isinstance(value, dict):
        return alternative
    shapes = {field["name"]: _shape(field) for field in before["fields"]}
    for field in kind["fields"]:
        name, shape = field["name"], _shape(field)
        if name in value and shape is not None and shapes.get(name) == shape:
            alternative[name] = value[name]
    return alternative


def _shape(field: dict[str, Any]) -> Any:
    return field.get("kinds") or (field["fields"] if field["type"] == "group" else None)


def _put(data: Any, path: tuple[str, ...], part: Any) -> Any:
    """A copy of nested data with `part` at `path`."""
    if not path:
        return part
    return {**(data if isinstance(data, dict) else {}), path[0]: _put((data or {}).get(path[0]), path[1:], part)}
