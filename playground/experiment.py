"""Experiment: everything that a run is made of, validated, as YAML and as a link."""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from playground.choice import InvalidExperiment, Problem, Settings, kinds, problems_of
from playground.distributions import AnyDistribution, Checkerboard, Distribution, Gaussian
from playground.dynamics.solvers import Sampler
from playground.models import AnyModel, FlowMatching
from playground.models.base import ConditionalModel, HasCoupling, HasPath, Model, Optimisation
from playground.models.condition import Condition, ConditionEncoder
from playground.networks import ACTIVATION_NAMES, AnyNetwork, Network

MAX_FILE_BYTES = 64_000
"""An experiment file is a page of text; anything longer is refused before it is parsed."""
MAX_STEPS = 200_000


class TrainingSettings(Optimisation):
    """How long to train, how fast, from which seed and where."""

    steps: int = Field(4000, ge=1, le=MAX_STEPS, title="Steps", description="Gradient steps in all.")
    seconds: float | None = Field(
        None,
        gt=0,
        le=600,
        title="Time budget",
        description="Train for about this long instead; it is turned into a number of steps after 50 timed ones.",
        json_schema_extra={"unit": "s", "advanced": True},
    )
    decay: Literal["linear", "inverse_sqrt", "cosine", "constant"] = Field(
        "linear",
        title="Decay",
        description="How the learning rate falls from its peak: as a line or a cosine to zero at the end, which is "
        "sharpest there, or as one over the root of the step, which is good at any moment.",
        json_schema_extra={"advanced": True, "labels": {"inverse_sqrt": "inverse square root"}},
    )
    seed: int = Field(
        0,
        ge=0,
        le=2**31 - 1,
        title="Seed",
        description="Fixes the initial weights and all data: the same seed gives the same run.",
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = Field(
        "auto",
        title="Device",
        description="Where to train; auto takes a CUDA GPU where there is one, then Apple's, then the CPU.",
        json_schema_extra={"advanced": True},
    )


class Experiment(Settings):
    """A source, a target, a model, a network and how to train and sample: one training, reproducible from its seed."""

    name: str = Field("", max_length=80, title="Name", description="What to call this experiment.")
    about: str = Field("", max_length=200, title="About", description="What to look for in it.")
    source: AnyDistribution = Field(
        Gaussian(), title="Source", description="Where particles start: the distribution at t = 0."
    )
    target: AnyDistribution = Field(
        Checkerboard(), title="Target", description="Where particles should arrive: the distribution at t = 1."
    )
    model: AnyModel = Field(FlowMatching(), title="Model", description="The family that learns to generate.")
    network: AnyNetwork = Field(Network(), title="Network", description="The small network that is trained.")
    training: TrainingSettings = Field(
        TrainingSettings(), title="Training", description="How long, how fast and from which seed to train."
    )
    sampler: Sampler = Field(Sampler(), title="Sampler", description="How samples are drawn once trained.")
    condition: Condition = Field(
        Condition(), title="Condition", description="What the network is told of where a particle should arrive."
    )

    @model_validator(mode="before")
    @classmethod
    def _suited_steps(cls, given: Any) -> Any:
        """Where an experiment does not say how long to train, its family does."""
        if not isinstance(given, dict):
            return given
        training, model = given.get("training", {}), given.get("model")
        named = model.get("kind") if isinstance(model, dict) else model
        families = (family for family in kinds(AnyModel) if issubclass(family, Model) and named == family.kind_name())
        steps = next((family.default_steps for family in families), None)
        if steps is None or not isinstance(training, dict) or "steps" in training:
            return given
        return {**given, "training": {**training, "steps": steps}}

    @model_validator(mode="after")
    def _same_dimension(self) -> Self:
        if not self.model.has_target and self.source.dim not in (None, self.dim):
            raise ValueError(
                f"the source {self.source.label()} is {self.source.dim}-dimensional and this equation is "
                f"{self.dim}-dimensional; choose a source of the same dimension, or one that adapts, such as gaussian "
                "or uniform."
            )
        if self.source.dim not in (None, self.dim):
            raise ValueError(
                f"the source {self.source.label()} is {self.source.dim}-dimensional and the target "
                f"{self.target.label()} is {self.dim}-dimensional; choose a source of the same dimension, or one that "
                "adapts, such as gaussian or uniform."
            )
        self.model.check(self.source.at(self.dim), self.aim, self.training)
        if self.sampler.solver.of_equations and self.model.has_target:
            raise ValueError(
                f"{self.sampler.solver.label()} is a solver for the model equation; choose that model, or a solver "
                "such as heun."
            )
        self.model.check_sampler(self.source.at(self.dim), self.sampler.solver)
        return self

    @model_validator(mode="after")
    def _possible_condition(self) -> Self:
        if self.condition.given and not isinstance(self.model, ConditionalModel):
            raise ValueError(
                f"the model {self.model.label()} takes no condition; choose flow_matching, or no class labels or angle."
            )
        self.condition.check(self.aim)
        if self.condition.given and isinstance(self.model, ConditionalModel):
            self.model.check_condition(self.condition, self.aim, self.training)
        self.check_sampling(self.sampler)
        return self

    def check_sampling(self, sampler: Sampler) -> None:
        """Raises ValueError with a sentence where what is learnt cannot be sampled so."""
        if sampler.grid == "karras" and not isinstance(self.model, HasPath):
            raise ValueError(
                f"the grid karras follows the noise of a path, and the model {self.model.label()} has none; choose the "
                "grid uniform."
            )
        if sampler.autoguidance != 1 and not self.model.learns_field:
            raise ValueError(
                f"autoguidance is guidance by an earlier snapshot of a velocity field, and {self.model.label()} learns "
                "none; choose flow_matching, rectified_flow or diffusion, or leave sampler.autoguidance at 1."
            )
        w = sampler.guidance
        if w != 1 and not self.condition.given:
            raise ValueError(
                "guidance needs a condition to guide by; set condition.labels to true, or leave sampler.guidance at 1."
            )
        if w != 1 and not self.condition.dropout:
            raise ValueError(
                "guidance needs the field without a condition as well, which a condition dropout of 0 never trains; "
                "choose a dropout such as 0.1, or leave sampler.guidance at 1."
            )

    @property
    def encoder(self) -> ConditionEncoder | None:
        """How the network is told the condition; None where it is told none."""
        return self.condition.of(self.aim)

    def remarks(self) -> list[str]:
        """Sentences on what is not quite as it was asked for."""
        found = self.model.remarks(self.source.at(self.dim), self.aim)
        suited = self.model.suited(self.network).activation
        if suited != self.network.activation:
            names = [ACTIVATION_NAMES[name] for name in (suited, self.network.activation)]
            found.append(
                f"{names[0]} stands in for {names[1]}: {self.model.label()} is trained through the network's "
                "derivatives, which have to bend."
            )
        model, encoder = self.model, self.encoder
        if isinstance(model, HasCoupling) and encoder is not None and encoder.kind not in model.coupling.keeps:
            instead = "class_optimal_transport" if encoder.kind == "labels" else "independent"
            kind = model.coupling.kind_name()
            found.append(
                f"The coupling {kind} gives each condition a part of the source of its own, while "
                f"samples under a condition start from all of it: they miss. Choose the coupling {instead}."
            )
        return found

    @property
    def dim(self) -> int:
        """The number of dimensions: the model's where it fixes it, else the target's, else the source's, else 2."""
        return self.model.dim or self.target.dim or self.source.dim or 2

    @property
    def aim(self) -> Distribution:
        """What samples are to be like: the settled target, or what a model without one reaches."""
        return self.target.at(self.dim) if self.model.has_target else self.model.reached(self.source.at(self.dim))

    @classmethod
    def parse(cls, given: Any) -> Self:
        """Validates plain data. Raises InvalidExperiment, whose problems say where and what to change."""
        if not isinstance(given, dict):
            raise InvalidExperiment([Problem((), "an experiment is a mapping with keys such as source and target.")])
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            raise InvalidExperiment(problems_of(error, given)) from None

    @classmethod
    def load(cls, path: str | Path, overrides: Iterable[str] = ()) -> Self:
        """Reads a YAML file, then applies overrides such as "training.steps=500".

        Raises InvalidExperiment with a sentence for whatever is wrong, the file itself included.
        """
        data = parse_yaml(read_text(Path(path)))
        for override in overrides:
            _apply(data, override)
        return cls.parse(data)

    @classmethod
    def from_yaml(cls, text: str) -> Self:
        """Reads YAML text. Raises InvalidExperiment."""
        return cls.parse(parse_yaml(text))

    def to_yaml(self) -> str:
        """This experiment as YAML that `load` reads back to an equal one; defaults inside choices are written out."""
        as_it_is = self.name.isprintable()  # else escaped: PyYAML does not read back every control character it writes
        return yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=as_it_is, width=100)

    def to_dict(self) -> dict[str, Any]:
        """This experiment as plain data, every field included."""
        data: dict[str, Any] = _kind_first(self.model_dump(mode="json"))
        return data

    def to_link(self) -> str:
        """This experiment as a short string that is safe in a URL."""
        packed = zlib.compress(json.dumps(self.to_dict(), separators=(",", ":")).encode(), 9)
        return base64.urlsafe_b64encode(packed).decode().rstrip("=")

    @classmethod
    def from_link(cls, link: str) -> Self:
        """Reads what `to_link` wrote. Raises InvalidExperiment for anything else."""
        try:
            packed = base64.urlsafe_b64decode(link + "=" * (-len(link) % 4))
            text = zlib.decompressobj().decompress(packed, MAX_FILE_BYTES)
            return cls.parse(json.loads(text))
        except (ValueError, RecursionError, zlib.error) as error:
            if isinstance(error, InvalidExperiment):
                raise
            raise InvalidExperiment([Problem((), "this link does not hold an experiment.")]) from None


def _kind_first(data: Any) -> Any:
    """The same plain data with each choice's kind before its fields, as people write it."""
    if not isinstance(data, dict):
        return data
    order = sorted(data, key=lambda key: key != "kind")
    return {key: _kind_first(data[key]) for key in order}


def read_text(path: Path) -> str:
    """A small text file. Raises InvalidExperiment where it is missing, too long or not text."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise InvalidExperiment([Problem((), f"{path.name} is longer than {MAX_FILE_BYTES // 1000} kB.")])
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InvalidExperiment([Problem((), f"there is no file {path}.")]) from None
    except (OSError, UnicodeDecodeError):
        raise InvalidExperiment([Problem((), f"{path} is not a text file that can be read.")]) from None


class _PlainLoader(yaml.SafeLoader):
    """YAML's plain part: no tags, no anchors (a few lines of which expand to gigabytes)."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # untyped in PyYAML's stubs
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise InvalidExperiment([Problem((), "anchors (& and *) are not allowed in an experiment.")])
        if getattr(event, "tag", None):
            raise InvalidExperiment([Problem((), f"tags such as {event.tag} are not allowed in an experiment.")])
        return super().compose_node(parent, index)


def parse_yaml(text: str) -> dict[str, Any]:
    """Plain YAML text as a mapping. Raises InvalidExperiment for tags, anchors, bad syntax and anything else."""
    if len(text) > MAX_FILE_BYTES:
        raise InvalidExperiment([Problem((), f"an experiment is shorter than {MAX_FILE_BYTES // 1000} kB.")])
    try:
        data = yaml.load(text, Loader=_PlainLoader)  # noqa: S506  (a SafeLoader, and stricter)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InvalidExperiment([Problem((), f"this is not valid YAML: line {line}: {error.problem}.")]) from None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        if isinstance(error, InvalidExperiment):
            raise
        raise InvalidExperiment([Problem((), "this is not valid YAML.")]) from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise InvalidExperiment([Problem((), "an experiment is a mapping with keys such as source and target.")])
    return data


def _apply(data: dict[str, Any], override: str) -> None:
    """Sets "a.b.c=value" in nested data; the value is read as YAML."""
    key, separator, text = override.partition("=")
    parts = key.strip().split(".")
    if not separator or not all(parts):
        raise InvalidExperiment([Problem((), f"{override!r} is not of the form key=value, as in training.steps=500.")])
    standard: Any = Experiment().to_dict()
    for part in parts[:-1]:
        standard = standard.get(part) if isinstance(standard, dict) else None
        inner = data.get(part, standard)
        named = isinstance(inner, dict) and (part in data or "kind" in inner)  # a group of settings has its defaults
        data[part] = {"kind": inner} if isinstance(inner, str) else dict(inner) if named else {}
        data = data[part]
    data[parts[-1]] = parse_yaml(f"value: {text}").get("value")
