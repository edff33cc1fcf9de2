"""Feature tests of a comparison: component by component for each network, all components at once for the first."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ganlib.errors import GanlibError
from ganlib.twosample.context import Context
from ganlib.twosample.feature_tests import Units, component_table, energy_test, t_tests

BINS = 40
SHOWN = 3  # components with the largest and with the smallest difference


def feature_section(context: Context) -> None:
    """Networks that cannot be had leave a warning; the others go on."""
    tables = []
    for number, name in enumerate(context.config.networks):
        limit = context.config.others if number else None
        try:
            real, synthetic = (context.features(name, side, limit) for side in (context.real, context.synthetic))
            groups = context.groups(limit)
            table = component_table(real, synthetic, groups, seed=context.config.seed)
        except GanlibError as error:
            context.result.warnings.append(f"Component tests of {name} were left out: {error}")
            continue
        tables.append(table.assign(network=name))
        if number == 0:
            units = [Units.of(x, own) for x, own in zip((real, synthetic), groups or (None, None), strict=True)]
            _add_energy(context, name, *units)
            p_values = t_tests(units[0].means, units[1].means)
            context.result.frames["histograms"] = histograms(real, synthetic, p_values)
    if tables:
        context.result.frames["components"] = pd.concat(tables, ignore_index=True)


def _add_energy(context: Context, name: str, real: Units, synthetic: Units) -> None:
    test = energy_test(real.images, synthetic.images, seed=context.config.seed)
    names = {"section": "features", "test": "energy distance", "subject": name, "statistic": "energy distance"}
    values = {"value": test.distance, "p_value": test.p_value, "n_real": test.n, "n_synthetic": test.n}
    context.result.add_tests([names | values])


def histograms(
    real: NDArray[np.float32], synthetic: NDArray[np.float32], p_values: NDArray[np.float64]
) -> pd.DataFrame:
    """Of the components whose means differ most and least by their p-values (d,): component, p_value, left and right of
    a bin, shares of either side in it.
    """
    order = np.argsort(p_values)[: int(np.isfinite(p_values).sum())]  # NaN comes last
    frames = []
    for component in dict.fromkeys([*order[:SHOWN], *order[-SHOWN:]]):
        both = np.concatenate([real[:, component], synthetic[:, component]])
        edges = np.histogram_bin_edges(both, BINS)
        shares = [np.histogram(x[:, component], edges)[0] / len(x) for x in (real, synthetic)]
        columns = {"component": component, "p_value": p_values[component], "left": edges[:-1], "right": edges[1:]}
        frames.append(pd.DataFrame(columns | {"real": shares[0], "synthetic": shares[1]}))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()
