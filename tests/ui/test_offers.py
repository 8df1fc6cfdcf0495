"""The presets as the page offers them."""

from __future__ import annotations

from playground.engine import presets
from playground.ui.offers import GROUPS, START_HERE, listed_presets


def test_every_preset_is_in_a_group_and_every_group_has_some() -> None:
    offered = listed_presets()
    assert sorted(one["key"] for one in offered) == sorted(presets.names())
    groups = [one["group"] for one in offered]
    assert list(dict.fromkeys(groups)) == ["Start here", *GROUPS]
    assert [one["key"] for one in offered if one["group"] == "Start here"] == [
        name for name in presets.names() if name in START_HERE
    ]
    assert max(map(groups.count, groups)) <= 12  # a menu that is seen at a glance
