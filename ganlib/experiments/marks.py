"""Moments of a training that a curve should show."""

from __future__ import annotations

import numpy as np
import pandas as pd

RESOLUTION = "resolution"


def growths(frame: pd.DataFrame) -> pd.DataFrame:
    """Where the networks of a run grew: the frame's rows at which its ``resolution`` rose, with ``label``: "16 px"."""
    logged = frame[frame["tag"] == RESOLUTION].sort_values(["run", "step"], kind="stable")
    # A row is a mean over some steps: between two resolutions where the growth lies among them.
    size = 2 ** np.ceil(np.log2(logged["value"].clip(lower=1)))
    rose = size.groupby(logged["run"], observed=True).diff() > 0
    return logged[rose].assign(label=[f"{pixels:.0f} px" for pixels in size[rose]])
