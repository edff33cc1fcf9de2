"""FID comparison: published values beside measured ones."""

from __future__ import annotations

import json

from helpers.fid_page import bars, protocol_of
from helpers.gallery import (
    OTHER,
    edit_recipe,
    score,
)
from helpers.streamlit_app import fine, open_page


def test_published_values_are_shown_under_inception_alone(own_gallery):
    assert "Published values" not in [e.label for e in open_page("fid").expander]
    protocol = json.loads((own_gallery / OTHER / "evaluation.json").read_text())["records"][0]["protocol"]
    reference = protocol["reference"] | {"data": "cifar10"}
    score(
        own_gallery / OTHER,
        30.0,
        protocol=protocol | {"extractor": "inception", "extractor_name": "inception-v3", "reference": reference},
    )
    at = open_page("fid")
    at = fine(protocol_of(at).select_index(2).run())
    (table,) = (d.value for d in at.dataframe if "Source" in d.value)
    wgan_gp = table[table["Model"] == "WGAN-GP"].set_index("Source")
    assert wgan_gp["FID"].to_dict() == {"mimicry": 22.29, "StudioGAN benchmark figure": 53.98}
    assert bars(at)["y"] == [OTHER]  # the published ones are no part of the ranking


def test_published_values_of_a_metric_without_a_reference_are_those_of_the_data_set(own_gallery):
    protocol = json.loads((own_gallery / OTHER / "evaluation.json").read_text())["records"][0]["protocol"]
    inception = {"extractor": "inception", "extractor_name": "inception-v3", "n_real": 0, "reference": None}
    score(own_gallery / OTHER, 5.0, metric="isc", protocol=protocol | inception)
    assert "Published values" not in [e.label for e in open_page("fid", metric="IS").expander]
    edit_recipe(own_gallery / OTHER, data__name="cifar10-jpeg")
    at = open_page("fid", dataset="cifar10-jpeg", metric="IS")
    (table,) = (d.value for d in at.dataframe if "Source" in d.value)
    assert table["IS"].is_monotonic_decreasing  # higher is better
    assert bars(at)["y"] == [OTHER]
