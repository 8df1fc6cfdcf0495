"""The description that the form on the page is drawn from, made out of the pydantic declarations alone.

The browser (stage/form.js) draws every control, bound, tooltip and kind from it, so that nothing is asked of the
server while a person chooses, and a new class in a union needs no edit here. A group is

    {"type": "group", "title", "summary", "fields": [field, ...]}

and a field is {"name", "title", "description", "type", "default" or "required": true}, with whatever was
declared: "optional" (null is allowed); "step", "unit", "scale", "range" (where the slider ends, if not at the bounds),
"advanced", "sampling" (a change needs no new training), "labels" (of options, by value), "none" (what null is called),
"hidden"; and by type

    float, int      minimum, maximum, exclusive_minimum, exclusive_maximum; dice (a seed, drawn at random)
    bool
    text            min_length, max_length; formula: its mistakes say which characters they are about
    choice          options: [{value, label}, ...]
    vector          item (a float or int with its bounds), min_length, max_length
    matrix          the same for its rows, and columns: {min_length, max_length}
    group           summary, fields
    union           kinds: [{kind, label, summary, fields, presets?, thumbnail?, explained?, idle?, notes?}, ...],
                    and of presets [{label, value}, ...] with the whole object as value; a model family is explained
                    by {about, formula (MathML), look_for, try_this, versus (rows)}, as far as it says so; at_once: it
                    needs no training; by the name
                    of a field beside it, idle says why it makes no use of that one, and notes what it makes of it
    drawing         extent (how far it may reach from the origin), most (corners in all)
    hidden          nothing: the value is kept and not drawn

Keys that say nothing are left out. Fields carry their class's defaults; the default of a group or union is the
whole object that stands there, which may differ from them.
"""

from __future__ import annotations

import math
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python
from typing_extensions import TypeAliasType

from playground.choice import Choice
from playground.distributions.drawing import EXTENT, MOST_POINTS
from playground.dynamics.systems import System
from playground.models.base import Model
from playground.networks import ACTIVATION_NAMES
from playground.ui.mathml import mathml

Description = dict[str, Any]
Thumbnail = Callable[[Choice], Any]
"""Draws a choice with its defaults: points (k, 2) in [-1, 1] as lists, a data URL of an image, or None."""

_EXTRAS = ("step", "unit", "scale", "range", "advanced", "labels", "none", "sampling")
_SCALES = ("linear", "log", "log2")


def describe(model: type[BaseModel], thumbnail: Thumbnail | None = None) -> Description:
    """The description of `model` as JSON-ready dicts and lists.

    thumbnail: called with the default object of every kind that has defaults for all of its fields.
    Raises TypeError, naming the field, for a declaration that the form has no control for.
    """
    return {"type": "group", "title": _title(model), **_group(model, _Walk(thumbnail))}


@dataclass(frozen=True)
class _Walk:
    """What the recursion carries: how thumbnails are made, and the models that it stands in."""

    thumbnail: Thumbnail | None = None
    within: tuple[type[BaseModel], ...] = ()

    def into(self, model: type[BaseModel]) -> _Walk:
        if model in self.within:
            raise TypeError(f"{model.__name__} contains itself, so that its form would have no end.")
        return _Walk(self.thumbnail, (*self.within, model))


@dataclass(frozen=True)
class _Declared:
    """An annotation without its wrapping: the bare type, its constraints, and whether None is allowed."""

    type: Any
    constraints: tuple[Any, ...] = ()
    optional: bool = False


def _group(model: type[BaseModel], walk: _Walk) -> Description:
    walk, defaults = walk.into(model), _defaults(model)
    fields = [
        _field(f"{model.__name__}.{name}", info.alias or name, info, defaults, walk)
        for name, info in model.model_fields.items()
        if not (name == "kind" and issubclass(model, Choice))
    ]
    return {"summary": _summary(model), "fields": fields}


def _field(where: str, name: str, info: FieldInfo, defaults: Description, walk: _Walk) -> Description:
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    field: Description = {
        "name": name,
        "title": info.title or name.replace("_", " ").capitalize(),
        "description": info.description or "",
        **({"default": defaults[name]} if name in defaults else {"required": True}),
    }
    if extra.get("hidden"):
        return {**field, "type": "hidden"}
    declared = _unwrap(info.annotation, info.metadata)
    control = _drawn(declared) if extra.get("control") == "drawing" else _control(declared, where, walk)
    if name == "seed" and control["type"] == "int":
        control["dice"] = True
    if declared.optional:
        control["optional"] = True
    if extra.get("control") == "formula":
        control["formula"] = True
    field |= control | {key: extra[key] for key in _EXTRAS if key in extra}
    if control["type"] in ("int", "float"):
        _check_scale(field, where)
    return field


def _drawn(declared: _Declared) -> Description:
    """A pad to draw on: strokes of coordinates, x before y."""
    return {"type": "drawing", "extent": EXTENT, "most": MOST_POINTS, **_lengths(declared.constraints)}


def _control(declared: _Declared, where: str, walk: _Walk) -> Description:
    """The type of a field, with what is particular to that type."""
    core, origin = declared.type, get_origin(declared.type)
    if core is bool:
        if declared.optional:
            return {"type": "choice", "options": [{"value": True, "label": "yes"}, {"value": False, "label": "no"}]}
        return {"type": "bool"}
    if core is int or core is float:
        return {"type": core.__name__, **_bounds(declared.constraints)}
    if core is str:
        return {"type": "text", **_lengths(declared.constraints)}
    if origin is Literal:
        return {"type": "choice", "options": [{"value": value, "label": _option(value)} for value in get_args(core)]}
    if origin in (tuple, list):
        return _numbers(declared, where)
    members = _members(core)
    if members and all(isinstance(member, type) and issubclass(member, Choice) for member in members):
        return {"type": "union", "kinds": [_kind(member, walk) for member in members]}
    if set(members) == {int, float}:
        return {"type": "float", **_bounds(declared.constraints)}
    if isinstance(core, type) and issubclass(core, BaseModel):
        return {"type": "group", **_group(core, walk)}
    raise TypeError(f"{where}: the form has no control for {core!r}.")


def _kind(choice: type[Choice], walk: _Walk) -> Description:
    if "kind" not in choice.model_fields or choice.model_fields["kind"].is_required():
        raise TypeError(f'{choice.__name__}: declare its kind, as in kind: Literal["its_name"] = "its_name".')
    kind: Description = {"kind": choice.kind_name(), "label": choice.label(), **_group(choice, walk)}
    if issubclass(choice, Model | System) and (explained := _explained(choice)):
        kind["explained"] = explained
    if issubclass(choice, Model) and not choice.learns:
        kind["at_once"] = True
    if issubclass(choice, Model) and (idle := _idle(choice)):
        kind["idle"] = idle
    if issubclass(choice, Model):
        kind["steps"] = choice.default_steps
    if issubclass(choice, Model) and (note := _network_note(choice)):
        kind["notes"] = {"network": note}
    if choice.presets:
        kind["presets"] = [
            {"label": name, "value": choice.preset(name).model_dump(mode="json")} for name in choice.presets
        ]
    if walk.thumbnail and not any(info.is_required() for info in choice.model_fields.values()):
        picture = walk.thumbnail(choice())
        if picture is not None:
            kind["thumbnail"] = picture
    return kind


def _idle(family: type[Model]) -> Description:
    """Which parts of the experiment a family makes no use of, and why."""
    name = family.label()
    network = {} if family.has_network else {"network": f"Not used: {name} has no network."}
    if not family.has_target:
        network |= {"target": f"Not used: {name} says itself what particles reach."}
    if not family.learns:
        network |= dict.fromkeys(("training", "condition"), f"Not used: {name} is not trained.")
    source = {"source": f"Not used: {name} starts from a latent of its own."} if family.own_latent else {}
    return network | source


def _network_note(family: type[Model]) -> str:
    """Which settings of the network a family does not take as they are chosen; empty where it takes all."""
    pairs = [f"{ACTIVATION_NAMES[new]} stands in for {ACTIVATION_NAMES[old]}" for old, new in family.stand_ins.items()]
    notes = [f"{', '.join(pairs)}, whose derivatives do not bend."] if pairs else []
    if family.has_network and not family.has_features:
        notes.append(f"{'It' if notes else 'it'} has no Fourier features.")
    return f"{family.label()}: {' '.join(notes)}" if notes else ""


def _explained(family: type[Model | System]) -> Description:
    """What a family, or a system of equations, says of itself, without what it leaves empty."""
    texts = {name: getattr(family, name) for name in ("about", "formula", "look_for", "try_this")}
    told: Description = {name: mathml(text) if name == "formula" else text for name, text in texts.items() if text}
    versus = getattr(family, "versus", ())
    return told | ({"versus": [list(row) for row in versus]} if versus else {})


def _numbers(declared: _Declared, where: str) -> Description:
    """A tuple or list of numbers (vector), or of such (matrix)."""
    parts = get_args(declared.type)
    repeated = get_origin(declared.type) is list or parts[-1] is Ellipsis
    items = [_unwrap(part) for part in (parts[:1] if repeated else parts)]
    lengths = _lengths(declared.constraints) if repeated else {"min_length": len(parts), "max_length": len(parts)}
    if any(item != items[0] for item in items) or any(item.optional for item in items):
        raise TypeError(f"{where}: the form draws tuples of one kind of number only, not {declared.type!r}.")
    item = items[0]
    if item.type is int or item.type is float:
        return {"type": "vector", "item": {"type": item.type.__name__, **_bounds(item.constraints)}, **lengths}
    if get_origin(item.type) in (tuple, list):
        row = _numbers(item, where)
        if row["type"] == "vector":
            columns = {key: row[key] for key in ("min_length", "max_length") if key in row}
            return {"type": "matrix", "item": row["item"], "columns": columns, **lengths}
    raise TypeError(f"{where}: the form has no control for {declared.type!r}.")


def _unwrap(annotation: Any, metadata: Iterable[Any] = ()) -> _Declared:
    """Takes off aliases, Annotated and `| None`, gathering the constraints on the way."""
    constraints, optional = list(_flat(metadata)), False
    while True:
        if isinstance(annotation, TypeAliasType):
            annotation = annotation.__value__
        elif get_origin(annotation) is Annotated:
            annotation, *inner = get_args(annotation)
            constraints += _flat(inner)
        elif _is_union(annotation) and type(None) in get_args(annotation):
            optional = True
            annotation = Union[tuple(part for part in get_args(annotation) if part is not type(None))]  # noqa: UP007
        elif get_origin(annotation) is Literal and None in get_args(annotation):
            optional = True
            annotation = Literal[tuple(value for value in get_args(annotation) if value is not None)]
        else:
            return _Declared(annotation, tuple(constraints), optional)


def _flat(metadata: Iterable[Any]) -> Iterator[Any]:
    """The single constraints in an annotation's metadata; Field(...) and Interval(...) hold several."""
    for item in metadata:
        if isinstance(item, FieldInfo):
            yield from _flat(item.metadata)
        elif isinstance(item, annotated_types.GroupedMetadata):
            yield from _flat(item)
        else:
            yield item


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


def _members(annotation: Any) -> list[Any]:
    """The alternatives of a union, those of the unions inside it included; a lone Choice is a union of one."""
    if _is_union(annotation):
        return [member for part in get_args(annotation) for member in _members(_unwrap(part).type)]
    return [annotation]


def _bounds(constraints: Iterable[Any]) -> Description:
    """The tightest bounds among the constraints."""
    lows: list[tuple[Any, bool]] = []
    highs: list[tuple[Any, bool]] = []
    bounds: Description = {}
    for item in constraints:
        match item:
            case annotated_types.Ge(ge=low):
                lows.append((low, False))
            case annotated_types.Gt(gt=low):
                lows.append((low, True))
            case annotated_types.Le(le=high):
                highs.append((high, False))
            case annotated_types.Lt(lt=high):
                highs.append((high, True))
            case annotated_types.MultipleOf(multiple_of=step):
                bounds["step"] = step
    if lows:
        bounds["minimum"], exclusive = max(lows)
        bounds |= {"exclusive_minimum": True} if exclusive else {}
    if highs:
        bounds["maximum"], inclusive = min((high, not exclusive) for high, exclusive in highs)
        bounds |= {} if inclusive else {"exclusive_maximum": True}
    return bounds


def _lengths(constraints: Iterable[Any]) -> Description:
    lengths: Description = {}
    for item in constraints:
        if isinstance(item, annotated_types.MinLen) and item.min_length:
            lengths["min_length"] = item.min_length
        elif isinstance(item, annotated_types.MaxLen):
            lengths["max_length"] = item.max_length
    return lengths


def _check_scale(field: Description, where: str) -> None:
    scale = field.get("scale", "linear")
    if scale not in _SCALES:
        raise TypeError(f"{where}: there is no scale {scale!r}; choose one of {', '.join(_SCALES)}.")
    low, high = field.get("minimum", -math.inf), field.get("maximum", math.inf)
    if scale != "linear" and low < 0:
        raise TypeError(f"{where}: a logarithmic scale needs a lower bound of at least 0.")
    first, last = field.get("range", (low, high))
    if not low <= first < last <= high:
        raise TypeError(f"{where}: the slider's range has to rise and to lie within the bounds.")


def _defaults(model: type[BaseModel]) -> Description:
    """The defaults as JSON: validated ones, or as written where some field has none."""
    optional = {name: info for name, info in model.model_fields.items() if not info.is_required()}
    if len(optional) == len(model.model_fields):
        return model().model_dump(mode="json", include=set(optional))
    written = {info.alias or name: info.get_default(call_default_factory=True) for name, info in optional.items()}
    plain: Description = to_jsonable_python(written)
    return plain


def _title(model: type[BaseModel]) -> str:
    return model.label() if issubclass(model, Choice) and "kind" in model.model_fields else model.__name__


def _summary(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().split("\n")[0]


def _option(value: Any) -> str:
    return str(value).replace("_", " ")
