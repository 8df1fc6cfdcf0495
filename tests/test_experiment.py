"""Experiments: what is written is what is read, and whatever is wrong gets a sentence."""

from __future__ import annotations

import base64
import json
import math
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest
import yaml
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from playground import Experiment, InvalidExperiment
from playground.distributions import DISTRIBUTIONS, Gaussian, GaussianMixture, Ring, Uniform
from playground.dynamics.solvers import RungeKutta4
from playground.experiment import MAX_FILE_BYTES
from playground.networks import FilmNetwork, Network

SCHEMA = Experiment.model_json_schema()
MANY = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema itself, where it stands behind a reference."""
    return SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[-1]] if "$ref" in schema else schema


def refused(given: Any) -> list[str]:
    """What is wrong with plain data, as sentences with their places."""
    with pytest.raises(InvalidExperiment) as caught:
        Experiment.parse(given)
    return [str(problem) for problem in caught.value.problems]


def link_of(text: str) -> str:
    """A link that holds any text."""
    return base64.urlsafe_b64encode(zlib.compress(text.encode())).decode().rstrip("=")


# --- what is written is what is read ---------------------------------------------------------------------------------


def values(schema: dict[str, Any], dim: int) -> st.SearchStrategy[Any]:
    """Any value that a part of the declaration allows, as plain data; distributions in `dim` dimensions."""
    schema = resolved(schema)
    fields = schema.get("properties", {})
    kind = fields.get("kind", {}).get("const")
    if schema.get("title") in WITH_RULES:
        return WITH_RULES[schema["title"]](dim)
    if "oneOf" in schema:
        return st.one_of([values(option, dim) for option in schema["oneOf"] if can_be(resolved(option), dim)])
    if "anyOf" in schema:
        return st.one_of([values(option, dim) for option in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "object":
            free = {name: values(field, dim) for name, field in fields.items() if name not in ("kind", "dimension")}
            fixed = {"kind": kind} if kind else {}
            if "dimension" in fields:
                fixed["dimension"] = dim
            return st.fixed_dictionaries({name: st.just(value) for name, value in fixed.items()}, optional=free)
        case "array":
            return st.lists(values(schema["items"], dim), min_size=schema["minItems"], max_size=schema["maxItems"])
        case "integer":
            return st.integers(schema["minimum"], schema["maximum"])
        case "number":
            low, high = (schema.get(f"exclusive{end}", schema.get(end.lower())) for end in ("Minimum", "Maximum"))
            return st.floats(
                low, high, exclude_min="exclusiveMinimum" in schema, exclude_max="exclusiveMaximum" in schema
            )
        case "string":
            return st.text(max_size=schema["maxLength"])
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
    raise AssertionError(f"no values are known for {schema}")


def can_be(schema: dict[str, Any], dim: int) -> bool:
    """Whether a kind can have `dim` dimensions; paths, solvers, ... can."""
    found = DIMENSIONS.get(schema["title"])
    return found is None or found == dim


def each_or_all(items: st.SearchStrategy[float], count: int) -> st.SearchStrategy[Any]:
    """A bare number, a list of one, or one for each of `count`."""
    return items | st.lists(items, min_size=1, max_size=1) | st.lists(items, min_size=count, max_size=count)


DIMENSIONS = {cls.__name__: cls().dim for cls in DISTRIBUTIONS} | {"GaussianMixture": None}
"""The dimension of each distribution; None where it can have any."""

COORDINATES, SPREADS = st.floats(-50, 50), st.floats(0.001, 10)


def gaussians(dim: int) -> st.SearchStrategy[Any]:
    fields = {"mean": each_or_all(COORDINATES, dim), "std": each_or_all(SPREADS, dim)}
    if dim == 2:
        fields["correlation"] = st.floats(-0.99, 0.99)
    return st.fixed_dictionaries({"kind": st.just("gaussian"), "dimension": st.just(dim)}, optional=fields)


def drawings(dim: int) -> st.SearchStrategy[Any]:
    corners = st.lists(st.tuples(st.floats(-8, 8), st.floats(-8, 8)), min_size=1, max_size=3)
    strokes = st.lists(corners.map(lambda each: [x for corner in each for x in corner]), min_size=1, max_size=2)
    fields = {"strokes": strokes, "noise": st.floats(0.02, 0.5), "scale": st.floats(0.1, 20)}
    return st.fixed_dictionaries({"kind": st.just("drawing")}, optional=fields)


def uniforms(dim: int) -> st.SearchStrategy[Any]:
    ends = {"low": each_or_all(st.floats(-50, -0.001), dim), "high": each_or_all(st.floats(0.001, 50), dim)}
    return st.fixed_dictionaries({"kind": st.just("uniform"), "dimension": st.just(dim)}, optional=ends)


@st.composite
def mixtures(draw: Callable[..., Any], dim: int) -> dict[str, Any]:
    count = draw(st.integers(1, 64))
    centers = st.lists(COORDINATES, min_size=dim, max_size=dim)
    fields = {
        "std": each_or_all(SPREADS, count),
        "weights": st.none() | st.lists(st.floats(0.001, 1000), min_size=count, max_size=count),
    }
    return draw(
        st.fixed_dictionaries(
            {"kind": st.just("gaussian_mixture"), "centers": st.lists(centers, min_size=count, max_size=count)},
            optional=fields,
        )
    )


WITH_RULES = {"Gaussian": gaussians, "Uniform": uniforms, "GaussianMixture": mixtures, "Drawing": drawings}
"""Kinds whose fields must agree with each other."""

EXPERIMENTS = st.sampled_from([1, 2, 2, 3]).flatmap(lambda dim: values(SCHEMA, dim))


def agreeing(data: dict[str, Any]) -> None:
    """Leaves out most of what cannot go together in how to sample."""
    sampler, kind = data.get("sampler", {}), data.get("model", {}).get("kind", "flow_matching")
    learns_field = kind in ("flow_matching", "rectified_flow", "diffusion")
    if not learns_field:
        sampler.pop("autoguidance", None)
    if not data.get("condition", {}).get("labels") or sampler.get("autoguidance", 1) != 1:
        sampler.pop("guidance", None)
    if sampler.get("guidance_from", 0) >= sampler.get("guidance_to", 1):
        sampler.pop("guidance_from", None)
        sampler.pop("guidance_to", None)
    if sampler.get("grid") == "karras" and not (learns_field or kind == "exact"):
        sampler.pop("grid")


@MANY
@given(data=EXPERIMENTS)
def test_every_valid_experiment_survives_yaml_and_link(data):
    if "target" not in data:
        data.pop("source", None)
    agreeing(data)
    try:
        experiment = Experiment.parse(data)
    except InvalidExperiment as error:
        assert not any(problem.path for problem in error.problems), "only a combination may be invalid"
        reject()
    assert Experiment.from_yaml(experiment.to_yaml()) == experiment
    assert Experiment.from_link(experiment.to_link()) == experiment
    assert Experiment.parse(experiment.to_dict()) == experiment
    assert Experiment.parse(json.loads(json.dumps(experiment.to_dict(), allow_nan=False))) == experiment
    assert re.fullmatch(r"[A-Za-z0-9_-]+", experiment.to_link())


@pytest.mark.parametrize(
    "name", ["", "two\nlines", " spaces ", "a: b # c", "&x", "*y", "!!z", "null", "1e-3", "é😀", "\x85\u2028"]
)
def test_any_name_survives(name):
    experiment = Experiment(name=name)
    assert Experiment.from_yaml(experiment.to_yaml()).name == name
    assert Experiment.from_link(experiment.to_link()).name == name


def test_yaml_is_as_people_write_it():
    written = yaml.safe_load(Experiment(target=Ring()).to_yaml())
    assert list(written) == list(Experiment.model_fields)
    assert written["target"] == {"kind": "ring", "modes": 8, "radius": 2.0, "std": 0.1}
    assert {next(iter(written[name])) for name in ("source", "target", "model", "network")} == {"kind"}
    assert {"kind", "path", "coupling"} <= set(written["model"])


def test_whatever_is_left_out_has_a_default():
    for nothing in ("", "{}", "# only a remark"):
        assert Experiment.from_yaml(nothing) == Experiment()
    experiment = Experiment.from_yaml("target: two_moons\ntraining: {steps: 10}\nsampler: {solver: rk4}")
    assert experiment.training.steps == 10
    assert experiment.training.batch == Experiment().training.batch
    assert experiment.sampler.solver == RungeKutta4()


def test_files(tmp_path):
    path = tmp_path / "mine.yaml"
    experiment = Experiment(name="Mine", target=Ring(modes=3))
    path.write_text(experiment.to_yaml(), encoding="utf-8")
    assert Experiment.load(path) == experiment
    assert Experiment.load(str(path)) == experiment


# --- dimensions ------------------------------------------------------------------------------------------------------


def test_the_target_fixes_the_dimension():
    line = GaussianMixture(centers=((-1.0,), (1.0,)))
    assert Experiment().dim == 2
    assert Experiment(target=line).dim == 1
    assert Experiment(source=Uniform(), target=line).dim == 1
    assert Experiment(source=Ring(), target=Gaussian()).dim == 2
    assert Experiment(source=line, target=Gaussian()).dim == 1
    assert Experiment(source=Gaussian(), target=Uniform()).dim == 2


@pytest.mark.parametrize(
    "source", [{"kind": "gaussian", "dimension": 1}, {"kind": "gaussian_mixture", "centers": [[0], [1]]}]
)
def test_a_source_of_another_dimension_is_refused(source):
    (sentence,) = refused({"source": source, "target": "ring"})
    assert re.fullmatch(
        r"the source .* is 1-dimensional and the target Ring is 2-dimensional; choose a source of the same dimension, "
        r"or one that adapts, such as gaussian or uniform\.",
        sentence,
    )


# --- every invalid field ---------------------------------------------------------------------------------------------

Wrap = Callable[[Any], dict[str, Any]]


def leaves(
    schema: dict[str, Any], where: tuple[str, ...], wrap: Wrap
) -> Iterator[tuple[str, tuple[str, ...], Any, Wrap]]:
    """Every field of the declaration: an id, its path, its schema, and how to write an experiment with its value."""
    schema = resolved(schema)
    for option in schema.get("oneOf", ()):
        yield from leaves(option, where, wrap)
    kind = schema.get("properties", {}).get("kind", {}).get("const")
    for name, field in schema.get("properties", {}).items():
        if name == "kind":
            continue

        def wrap_field(value: Any, name: str = name) -> dict[str, Any]:
            return wrap(({"kind": kind} if kind else {}) | {name: value})

        inner = resolved(field)
        if "oneOf" in inner or "properties" in inner:
            yield from leaves(inner, (*where, name), wrap_field)
        else:
            label = ".".join([*where, *([f"<{kind}>"] if kind else []), name])
            yield label, (*where, name), inner, wrap_field


LEAVES = list(leaves(SCHEMA, (), lambda data: data))
EVERY_FIELD = pytest.mark.parametrize(
    ("path", "schema", "wrap"), [leaf[1:] for leaf in LEAVES], ids=[leaf[0] for leaf in LEAVES]
)


def written(bound: float) -> str:
    return f"{bound:.10g}"


def refusals(schema: dict[str, Any]) -> Iterator[tuple[Any, str, tuple[str, ...]]]:
    """Values that break each rule of a field, the sentence that each must get, and where in the value it points."""
    if "anyOf" in schema:
        for option in schema["anyOf"]:
            yield from refusals(option)
        return
    if "enum" in schema:
        for bad in ("nonsense", 1.5, []):
            yield bad, f"{bad!r} is not one of ", ()
        return
    match schema["type"]:
        case "integer" | "number":
            whole = schema["type"] == "integer"
            beside = 1 if whole else 1e-6
            for bad in (schema["minimum"] - beside, -(10**12)) if "minimum" in schema else ():
                yield bad, f"{bad!r} is too small; choose at least {written(schema['minimum'])}.", ()
            for bad in (schema["exclusiveMinimum"], -0.5, -(10**12)) if "exclusiveMinimum" in schema else ():
                yield bad, f"{bad!r} is too small; choose more than {written(schema['exclusiveMinimum'])}.", ()
            for bad in (schema["maximum"] + beside, 10**12) if "maximum" in schema else ():
                yield bad, f"{bad!r} is too large; choose at most {written(schema['maximum'])}.", ()
            for bad in (schema["exclusiveMaximum"], 10**12) if "exclusiveMaximum" in schema else ():
                yield bad, f"{bad!r} is too large; choose less than {written(schema['exclusiveMaximum'])}.", ()
            for bad in (math.nan, math.inf, -math.inf):
                yield bad, f"{bad!r} is not a finite number.", ()
            for bad in ("many", [], {}, *([2.5] if whole else [])):
                yield bad, f"{bad!r} is not a {'whole ' if whole else ''}number.", ()
        case "string":
            yield "x" * (schema["maxLength"] + 1), f"at most {schema['maxLength']} characters", ()
            yield 5, "valid string", ()
            yield None, "valid string", ()
        case "array":
            item = [1.0, 1.0] if schema["items"].get("type") == "array" else 1.0
            for bad, sentence, inside in refusals(schema["items"]):
                if not isinstance(bad, (str, list, dict)) or isinstance(item, list):
                    yield [bad], sentence, ("0", *inside)
                    yield [item, bad], sentence, ("1", *inside)
            if "minItems" in schema:
                yield [], f"give at least {schema['minItems']} value", ()
            if "maxItems" in schema:
                yield [item] * (schema["maxItems"] + 1), f"give at most {schema['maxItems']} value", ()
        case "boolean":
            for bad in ("almost", 2, [], None):
                yield bad, f"{bad!r} is neither true nor false.", ()
        case "null":
            return


@EVERY_FIELD
def test_every_value_that_breaks_a_rule_is_refused_with_its_sentence_and_place(path, schema, wrap):
    tried = 0
    for bad, sentence, inside in refusals(schema):
        with pytest.raises(InvalidExperiment) as caught:
            Experiment.parse(wrap(bad))
        found = {problem.path: problem.sentence for problem in caught.value.problems}
        assert (*path, *inside) in found, (bad, found)
        assert sentence in found[(*path, *inside)], bad
        assert found[(*path, *inside)].endswith(".")
        tried += 1
    assert tried >= 3


def bounds(schema: dict[str, Any]) -> Iterator[Any]:
    """The outermost values that a field allows."""
    for option in schema.get("anyOf", [schema]):
        yield from option.get("enum", ())
        yield from (option[end] for end in ("minimum", "maximum") if end in option)
        if option.get("type") == "null":
            yield None


@EVERY_FIELD
def test_the_bounds_themselves_are_allowed(path, schema, wrap):
    for value in bounds(schema):
        try:
            Experiment.parse(wrap(value))
        except InvalidExperiment as error:  # it may be at odds with another field, or with the target
            assert path not in [problem.path for problem in error.problems], (value, error)


@EVERY_FIELD
def test_every_number_is_bounded_on_both_sides(path, schema, wrap):
    for option in schema.get("anyOf", [schema]):
        while option.get("type") == "array":
            option = option["items"]
        if option.get("type") in ("integer", "number") and "enum" not in option:
            assert {"minimum", "exclusiveMinimum"} & set(option)
            assert {"maximum", "exclusiveMaximum"} & set(option)


@EVERY_FIELD
def test_an_unknown_field_beside_it_is_refused(path, schema, wrap):
    experiment = wrap(None)
    place = experiment
    for part in path[:-1]:
        place = place[part]
    place["colour"] = 1
    del place[path[-1]]
    assert ".".join((*path[:-1], "colour")) + ": there is no such field here; check its spelling." in refused(
        experiment
    )


def test_the_loop_above_reaches_every_part():
    reached = {label for label, *_ in LEAVES}
    for cls in DISTRIBUTIONS:
        for name in cls.model_fields:
            if name != "kind":
                assert f"source.<{cls.kind_name()}>.{name}" in reached
                assert f"target.<{cls.kind_name()}>.{name}" in reached
    for group in ("network", "training", "sampler", "condition"):
        annotation = Experiment.model_fields[group].annotation
        declared = {
            name: field for each in get_args(annotation) or (annotation,) for name, field in each.model_fields.items()
        }
        for name, field in declared.items():
            if name not in ("kind", "solver"):
                assert any(re.fullmatch(rf"{group}\.(<\w+>\.)?{name}", label) for label in reached), field
    assert "name" in reached


@pytest.mark.parametrize("kind", ["galaxy", "", "Gaussian", "__class__"])
@pytest.mark.parametrize(
    ("where", "wrap"),
    [
        ("source", lambda value: {"source": value}),
        ("target", lambda value: {"target": value}),
        ("model", lambda value: {"model": value}),
        ("model.path", lambda value: {"model": {"kind": "flow_matching", "path": value}}),
        ("model.coupling", lambda value: {"model": {"kind": "flow_matching", "coupling": value}}),
        ("sampler.solver", lambda value: {"sampler": {"solver": value}}),
    ],
)
def test_unknown_kinds_are_refused_with_those_that_there_are(where, wrap, kind):
    for value in (kind, {"kind": kind}):
        (sentence,) = refused(wrap(value))
        of_several = f"{where}: there is no kind {kind!r}; choose one of '"
        of_one = f"{where}.kind: {kind!r} is not one of '"
        assert sentence.startswith((of_several, of_one))


@pytest.mark.parametrize("where", ["source", "target", "model", "network", "training", "sampler"])
@pytest.mark.parametrize("bad", [None, 5, [1], True, [{}]])
def test_what_is_no_choice_at_all_is_refused(where, bad):
    (sentence,) = refused({where: bad})
    assert sentence.startswith(f"{where}: ")
    assert sentence.endswith(".")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"training": {"steps": -1}}, "training.steps: -1 is too small; choose at least 1."),
        ({"training": {"steps": 10**9}}, "training.steps: 1000000000 is too large; choose at most 200000."),
        ({"training": {"batch": 10**9}}, "training.batch: 1000000000 is too large; choose at most 4096."),
        ({"training": {"seconds": 10**9}}, "training.seconds: 1000000000 is too large; choose at most 600."),
        ({"training": {"rate": math.nan}}, "training.rate: nan is not a finite number."),
        ({"network": {"width": 10**9}}, "network.width: 1000000000 is too large; choose at most 512."),
        ({"network": {"depth": 10**9}}, "network.depth: 1000000000 is too large; choose at most 8."),
        ({"network": {"frequencies": 10**9}}, "network.frequencies: 1000000000 is too large; choose at most 16."),
        ({"sampler": {"steps": 10**9}}, "sampler.steps: 1000000000 is too large; choose at most 1000."),
        ({"target": {"kind": "grid", "side": 10**5}}, "target.side: 100000 is too large; choose at most 10."),
        ({"sorce": "ring"}, "sorce: there is no such field here; check its spelling."),
        ({1: 2}, "1: Keys should be strings."),
    ],
)
def test_bad_input_by_example(data, sentence):
    assert refused(data) == [sentence]


def test_ten_gigabytes_of_centers_are_not_looked_at():
    assert refused({"target": {"kind": "gaussian_mixture", "centers": [[0, 0]] * 10**5}}) == [
        "target.centers: give at most 64 values."
    ]


@pytest.mark.parametrize("bad", [None, 5, "ring", [], [{}], True])
def test_an_experiment_is_a_mapping(bad):
    assert refused(bad) == ["an experiment is a mapping with keys such as source and target."]


# --- hostile text ----------------------------------------------------------------------------------------------------


def sentence_of(read: Callable[[str], Experiment], text: str) -> str:
    with pytest.raises(InvalidExperiment) as caught:
        read(text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (
            "name: !!python/object/apply:os.system ['true']",
            "tags such as tag:yaml.org,2002:python/object/apply:os.system",
        ),
        ("!!python/object:playground.Experiment {}", "tags such as "),
        ("!mine {}", "tags such as !mine are not allowed"),
        ("name: !!str 5", "tags such as "),
        ("name: !!binary aGVsbG8=", "tags such as "),
        ("name: &a x", "anchors (& and *) are not allowed"),
        ("name: *a", "anchors (& and *) are not allowed"),
        ("a: &a [x]\nb: [*a, *a]", "anchors (& and *) are not allowed"),
        ("<<: *a", "anchors (& and *) are not allowed"),
        ("name: [", "this is not valid YAML: line 1"),
        ("name: x\n  target: y", "this is not valid YAML: line 2"),
        ("\tname: x", "this is not valid YAML: line 1"),
        ("name: a\n---\nname: b", "this is not valid YAML: line 2"),
        ("? [a]\n: b", "this is not valid YAML"),
        ("name: \x00", "this is not valid YAML."),
        ("name: 2020-13-45", "this is not valid YAML."),
        ("training: {steps: " + "9" * 5000 + "}", "this is not valid YAML."),
        ("training: {steps: 0x" + "f" * 5000 + "}", "training.steps: this number is too large; choose at most 200000."),
        ("a: " + "[" * 50_000, "this is not valid YAML."),
        ("a: " + "{a: " * 12_000, "this is not valid YAML."),
        ("- a\n- b", "an experiment is a mapping"),
        ("ring", "an experiment is a mapping"),
        ("name: " + "x" * MAX_FILE_BYTES, "an experiment is shorter than 64 kB."),
    ],
    ids=lambda value: value[:40],
)
def test_yaml_that_is_refused(text, part):
    assert part in sentence_of(Experiment.from_yaml, text)


@pytest.mark.parametrize(
    "link",
    [
        "",
        "x",
        "é",
        "=" * 10,
        "not a link at all",
        base64.urlsafe_b64encode(b"{}").decode(),
        link_of("{")[:-2],
        link_of("[" * 60_000),
        link_of('{"name":"' + "x" * 10**7 + '"}'),
        link_of('{"training": {"steps": ' + "9" * 5000 + "}}"),
        Experiment().to_link()[:-8],
    ],
    ids=lambda value: value[:20],
)
def test_links_that_hold_no_experiment(link):
    assert sentence_of(Experiment.from_link, link) == "this link does not hold an experiment."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[]", "an experiment is a mapping with keys such as source and target."),
        ('{"training": {"rate": NaN}}', "training.rate: nan is not a finite number."),
        ('{"training": {"rate": 1e999}}', "training.rate: inf is not a finite number."),
        ('{"network": {"width": 1000000000}}', "network.width: 1000000000 is too large; choose at most 512."),
    ],
)
def test_links_that_hold_an_invalid_experiment(text, sentence):
    assert sentence_of(Experiment.from_link, link_of(text)) == sentence


def read_or_refused(read: Callable[[Any], Experiment], given: Any) -> None:
    try:
        assert isinstance(read(given), Experiment)
    except InvalidExperiment as error:
        assert error.problems
        assert all(problem.sentence.endswith(".") for problem in error.problems)


NAMES = st.sampled_from(
    ["kind", *SCHEMA["properties"], *(name for d in SCHEMA["$defs"].values() for name in d["properties"])]
)
KINDS = st.sampled_from(
    [d["properties"]["kind"]["const"] for d in SCHEMA["$defs"].values() if "kind" in d["properties"]]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | KINDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=5),
    max_leaves=12,
)


@MANY
@given(data=st.dictionaries(NAMES, ANYTHING, max_size=4))
def test_any_data_is_read_or_refused(data):
    read_or_refused(Experiment.parse, data)


@MANY
@given(text=st.text(alphabet="{}[]:,-&*!?|>%@#'\" \n\tabc019.é\x00\x85", max_size=40))
def test_any_text_is_read_or_refused(text):
    read_or_refused(Experiment.from_yaml, text)


@MANY
@given(link=st.text(max_size=40) | st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_any_link_is_read_or_refused(link):
    read_or_refused(Experiment.from_link, link)


@MANY
@given(data=ANYTHING)
def test_any_link_to_data_is_read_or_refused(data):
    read_or_refused(Experiment.from_link, link_of(json.dumps(data)))


# --- files and overrides ---------------------------------------------------------------------------------------------


def test_files_that_cannot_be_read(tmp_path):
    long, binary = tmp_path / "long.yaml", tmp_path / "binary.yaml"
    long.write_text("#" * (MAX_FILE_BYTES + 1))
    binary.write_bytes(b"\x80\x81\xff")
    for path, part in (
        (tmp_path / "none.yaml", "there is no file "),
        (tmp_path / "no" / "folder.yaml", "there is no file "),
        (tmp_path, "is not a text file that can be read."),
        (binary, "binary.yaml is not a text file that can be read."),
        (long, "long.yaml is longer than 64 kB."),
    ):
        assert part in sentence_of(Experiment.load, path)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "experiment.yaml"
    path.write_text(
        "source: gaussian\ntarget: {kind: ring, modes: 5}\nmodel: flow_matching\nsampler: {solver: euler}\n"
    )
    return path


@pytest.mark.parametrize(
    ("override", "read"),
    [
        ("training.steps=500", lambda e: e.training.steps == 500),
        ("training.rate=1e-3", lambda e: e.training.rate == 1e-3),
        ("training.seconds=null", lambda e: e.training.seconds is None),
        ("target.modes=7", lambda e: e.target == Ring(modes=7)),
        ("target=two_moons", lambda e: e.target.kind == "two_moons"),
        ("target={kind: ring, std: 0.2}", lambda e: e.target == Ring(std=0.2)),
        ("source.std=[1, 2]", lambda e: e.source == Gaussian(std=(1, 2))),
        ("sampler.solver=rk4", lambda e: e.sampler.solver == RungeKutta4()),
        ("model.path=cosine", lambda e: e.model.path.kind == "cosine"),
        ("name=a=b", lambda e: e.name == "a=b"),
        (" network.width =32", lambda e: e.network.width == 32),
    ],
)
def test_overrides(file, override, read):
    assert read(Experiment.load(file, [override]))


def test_later_overrides_win(file):
    experiment = Experiment.load(file, ["training.steps=500", "training.seed=3", "training.steps=600"])
    assert (experiment.training.steps, experiment.training.seed) == (600, 3)


@pytest.mark.parametrize(
    ("override", "part"),
    [
        ("training.steps", "'training.steps' is not of the form key=value, as in training.steps=500."),
        ("=5", "'=5' is not of the form key=value"),
        ("training..steps=5", "is not of the form key=value"),
        ("training.steps=", "training.steps: None is not a whole number."),
        ("training.steps=-5", "training.steps: -5 is too small; choose at least 1."),
        ("training.step=5", "training.step: there is no such field here; check its spelling."),
        ("target.kind=galaxy", "target: there is no kind 'galaxy'"),
        ("target.modes.x=5", "target.modes: {'x': 5} is not a whole number."),
        ("name=!!python/name:os.system", "tags such as "),
        ("name=*a", "anchors"),
        ("name=a: b", "this is not valid YAML"),
        ("name=" + "x" * MAX_FILE_BYTES, "an experiment is shorter than 64 kB."),
    ],
    ids=lambda value: value[:30],
)
def test_overrides_that_are_refused(file, override, part):
    with pytest.raises(InvalidExperiment) as caught:
        Experiment.load(file, [override])
    assert part in str(caught.value)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"source": "two_moons", "sampler": {"churn": 0.5}}, "adds noise, for which the score must be known"),
        (
            {"source": {"kind": "gaussian", "mean": [1.0, 0.0]}, "sampler": {"solver": {"kind": "ddim", "eta": 1}}},
            "choose that source and the coupling independent",
        ),
        (
            {"model": {"kind": "flow_matching", "coupling": "optimal_transport"}, "sampler": {"solver": "ancestral"}},
            "in independent pairs",
        ),
        (
            {"model": {"kind": "flow_matching", "path": "bridge"}, "sampler": {"solver": "ddim"}},
            "along a bridge choose stochastic_midpoint or heun",
        ),
        ({"source": {"kind": "gaussian", "std": [2.0, 1.0]}, "model": "exact", "sampler": {"churn": 1}}, "adds noise"),
        ({"sampler": {"solver": {"kind": "ddim", "eta": 1.5}}}, "1.5 is too large; choose at most 1."),
        (
            {"model": {"kind": "flow_matching", "coupling": "optimal_transport", "prediction": "score"}},
            "only of independent pairs",
        ),
    ],
)
def test_a_sampler_that_cannot_follow_the_field_is_refused(given, sentence):
    with pytest.raises(InvalidExperiment, match=sentence):
        Experiment.parse(given)


def test_noise_is_welcome_where_the_score_is_known_from_a_second_network():
    given = {"source": "two_moons", "model": {"kind": "flow_matching", "path": "bridge"}, "sampler": {"churn": 0.5}}
    assert Experiment.parse(given).sampler.describe()["churn"] == 0.5


def test_a_network_without_a_kind_is_the_plain_one():
    assert Experiment.parse({"network": {"width": 16}}).network == Network(width=16)
    assert Experiment.parse({"network": "film"}).network == FilmNetwork()
    assert Experiment.parse({"network": {"kind": "film", "embedding": 8}}).network == FilmNetwork(embedding=8)


def test_a_family_that_takes_its_own_time_to_train_is_given_it(tmp_path):
    assert Experiment.parse({"model": "neural_ode"}).training.steps == 2000
    assert Experiment.parse({"model": {"kind": "neural_ode"}, "training": {"seed": 3}}).training.steps == 2000
    assert Experiment.parse({"model": "neural_ode", "training": {"steps": 50}}).training.steps == 50
    path = tmp_path / "one.yaml"
    path.write_text("model: neural_ode")
    assert Experiment.load(path, ["training.seed=3"]).training.steps == 2000
    assert Experiment.parse({"model": "gan"}).training.steps == Experiment().training.steps == 4000
