"""The benchmark of all families: which rows there are, that a short run fills one, and how rows become a table."""

from __future__ import annotations

import pytest

from benchmarks import families
from playground.choice import kinds
from playground.models import AnyModel


def test_every_family_has_a_row_and_varied_ones_several() -> None:
    found = list(families.models())
    assert {model["kind"] for _, model in found} == {family.kind_name() for family in kinds(AnyModel)}
    assert len({label for label, _ in found}) == len(found)
    assert {m["architecture"] for _, m in found if "architecture" in m} >= {"real_nvp", "maf", "iaf", "neural_spline"}


@pytest.mark.parametrize("kind", ["exact", "vae"])
def test_a_run_has_all_figures(kind: str) -> None:
    row = families.measured(kind, {"kind": kind}, "ring of 8", 0, limit=0.2)
    assert row["sliced_w2"] > 0 and row["sampling_ms"] > 0 and row["modes"] == 8
    assert (row["nll"] is not None) == (row["kl"] is not None) == (kind == "exact")
    assert 0 < row["stray"] < 1 and row["sample_kl"] is not None
    assert row["train_seconds"] < 3
    text = families.report([row, row | {"seed": 1}, {"model": "no", "target": "ring of 8", "refused": "it cannot"}])
    assert "## ring of 8" in text and "| no | refused |" in text and " of 8 |" in text
    assert (" ± " in text) == (kind == "exact") == ("≈" not in text)


def test_rows_are_kept_and_read(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(families, "KEPT", tmp_path / "rows.jsonl")
    assert families.kept() == {}
    (tmp_path / "rows.jsonl").write_text('{"model": "a", "target": "b", "seed": 1, "limit": 6.0, "nfe": 3}\n')
    assert families.kept()["a", "b", 1, 6.0]["nfe"] == 3
