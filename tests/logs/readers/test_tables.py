"""Tables: separators, decimal commas, wide and long, which column is the step, and what people do to CSV files."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ganlib.logs import LogError

DTYPES = {
    "run": "category",
    "step": "int64",
    "wall_time": "float64",
    "tag": "category",
    "value": "float64",
    "original": "category",
    "segment": "int16",
}


def test_our_own_log(written, curve):
    frame = written(
        "step,images,wall_time,loss/D,loss/G,D/real\n20,1280,1700000000.5,0.5,1.5,\n40,2560,1700000001.5,,,0\n"
    )
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == DTYPES
    assert curve(frame, "images") == [(20, 1280), (40, 2560)]
    assert curve(frame, "loss/D") == [(20, 0.5)]  # a blank is no row
    assert curve(frame, "D/real") == [(40, 0)]
    assert frame["wall_time"].unique().tolist() == [1700000000.5, 1700000001.5]
    assert frame.attrs == {"step_unit": "steps", "step_units": {"run": "steps"}, "skipped": [], "skipped_total": 0}


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " ", ", "])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
def test_separators_and_line_ends(written, curve, separator, end):
    rows = [["step", "d_loss", "g_loss"], ["1", "0.5", "1.5"], ["2", "0.25", "-3e68"]]
    text = (end or "\n").join(separator.join(row) for row in rows) + end
    frame = written(text)
    assert curve(frame, "loss/D") == [(1, 0.5), (2, 0.25)]
    assert curve(frame, "loss/G") == [(1, 1.5), (2, -3e68)]
    assert frame.attrs["skipped_total"] == 0


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_decimal_commas(written, curve, separator):
    text = "step;loss_D;loss_G\n1;0,5;1.250,75\n2;0,25;7\n".replace(";", separator)
    frame = written(text)
    assert curve(frame, "loss/D") == [(1, 0.5), (2, 0.25)]
    assert curve(frame, "loss/G") == [(1, 1250.75), (2, 7)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(written, curve, encoding):
    frame = written("step,Güte\n1,0.5\n2,0.25\n".encode(encoding))
    assert curve(frame, "Güte") == [(1, 0.5), (2, 0.25)]


def test_what_was_logged_as_not_finite_stays_and_what_was_not_logged_is_no_row(written, curve):
    frame = written("step,a,b,c\n1,nan,N/A,1\n2,inf,,2\n3,-Infinity,None,3\n4,NaN,-,4\n")
    np.testing.assert_equal(curve(frame, "a"), [(1, np.nan), (2, np.inf), (3, -np.inf), (4, np.nan)])
    assert curve(frame, "b") == []
    assert len(curve(frame, "c")) == 4


def test_dirt_is_skipped_and_counted_by_line(written, curve, reasons):
    text = "# made by hand\nstep,loss\n1,0.5\n\n2,what\ngarbage\n3,0.25,7,8\nstep,loss\n"
    text += "4,tensor(0.125)\n5,1.5e\n6,0.0625\n7"
    frame = written(text)
    assert curve(frame, "loss") == [(1, 0.5), (4, 0.125), (6, 0.0625)]
    assert reasons(frame) == [
        (1, "a comment"),
        (6, "it has 1 field instead of 2"),
        (7, "it has 4 fields instead of 2"),
        (8, "the header again"),
        (12, "the last line is half written"),
        (5, "in column loss, 'what' is no number"),
        (10, "in column loss, '1.5e' is no number"),
    ]
    assert frame.attrs["skipped_total"] == 7


def test_only_the_first_skipped_are_listed_and_all_are_counted(written):
    frame = written("step,loss\n" + "".join(f"{i},{i}\nbad\n" for i in range(500)))
    assert frame.attrs["skipped_total"] == 500
    assert len(frame.attrs["skipped"]) == 100


def test_durations_dates_and_doubled_names(written, curve):
    text = "step,time,loss,loss,duration\n1,2024-01-01T00:00:00+01:00,1,2,9 days, 20:04:38\n"
    text += "2,2024-01-01 00:00:00,3,4,0:00:05\n"
    frame = written(text)
    assert curve(frame, "loss") == [(1, 1), (2, 3)]
    assert curve(frame, "loss.1") == [(1, 2), (2, 4)]
    assert curve(frame, "duration") == [(1, 849878), (2, 5)]
    assert frame["wall_time"].unique().tolist() == [1704063600, 1704067200]


@pytest.mark.parametrize("stamp", ["1700000000.25", "1700000000250", "1700000000250000"])
def test_wall_times_of_any_unit(written, stamp):
    assert written(f"step,timestamp,loss\n1,{stamp},2\n")["wall_time"].tolist() == [1700000000.25]


def test_a_time_since_the_start_is_a_scalar(written, curve):
    frame = written("step,time,loss\n1,5,2\n2,10,2\n")
    assert frame["wall_time"].isna().all()
    assert curve(frame, "time") == [(1, 5), (2, 10)]


def test_a_restart_is_a_segment_of_all_tags(written):
    frame = written("step,a,b\n1,1,\n2,1,1\n3,1,1\n3,1,1\n2,1,\n3,1,1\n4,1,1\n1,1,1\n")
    assert frame.loc[frame["tag"] == "a", "segment"].tolist() == [0, 0, 0, 0, 1, 1, 1, 2]
    assert frame.loc[frame["tag"] == "b", "segment"].tolist() == [0, 0, 0, 1, 1, 2]


def test_epochs_that_restart_and_epochs_of_several_rows(written, curve):
    frame = written("epoch,loss\n" + "0,3\n1,2\n2,1\n" * 3)
    assert frame.attrs["step_unit"] == "epochs"
    assert frame["segment"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    frame = written("epoch,loss\n0,5\n0,4\n0,3\n1,2\n1,1\n1,0\n")
    assert frame.attrs["step_unit"] == "steps"
    assert curve(frame, "loss") == [(i, 5 - i) for i in range(6)]


def test_the_evaluation_of_an_old_checkpoint_is_no_restart(written, curve):
    frame = written("step,loss,fid\n1,5,90\n2,4,80\n1,,91\n3,3,70\n")
    assert frame["segment"].max() == 0
    assert curve(frame, "fid") == [(1, 90), (1, 91), (2, 80), (3, 70)]


def test_batches_start_over_in_each_epoch(written, curve):
    text = "epoch,batch,loss\n" + "".join(f"{e},{b},{e}.{b}\n" for e in (1, 2, 3) for b in (0, 100, 200))
    frame = written(text)
    assert curve(frame, "loss") == [(i * 100, float(f"{i // 3 + 1}.{i % 3 * 100}")) for i in range(9)]
    assert [value for _, value in curve(frame, "epoch")] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert frame["segment"].max() == 0


@pytest.mark.parametrize(
    ("header", "unit", "step"),
    [
        ("iteration,epoch,loss", "steps", 10),
        ("epoch,kimg,loss", "images", 500),
        ("images,epoch,loss", "images", 10),
        ("epoch,loss,acc", "epochs", 10),
        ("loss,x,y", "steps", 0),
        (",loss,acc", "steps", 10),
    ],
)
def test_the_step_is_found(written, header, unit, step):
    frame = written(f"{header}\n10,0.5,0.25\n20,1.5,0.125\n")
    assert frame.attrs["step_unit"] == unit
    assert frame["step"].iloc[0] == step


def test_the_step_is_given(written, curve):
    text = "step,epoch,loss\n100,1,0.5\n200,2,0.25\n"
    frame = written(text, step="epoch")
    assert curve(frame, "loss") == [(1, 0.5), (2, 0.25)]
    assert curve(frame, "step") == [(1, 100), (2, 200)]
    assert frame.attrs["step_unit"] == "epochs"
    with pytest.raises(LogError, match="no column 'images', only step, epoch, loss"):
        written(text, step="images")


def test_rows_without_a_step(written, curve, reasons):
    frame = written("step,loss\n1,0.5\n,0.25\n1e300,1\n4,2\n")
    assert curve(frame, "loss") == [(1, 0.5), (4, 2)]
    assert reasons(frame) == [(3, "the row has no step"), (4, "the row has no step")]


def test_long_tables(sample, written, curve):
    frame = sample("long.tsv")
    assert curve(frame, "loss/D") == [(1, 0.5), (2, 0.25)]
    np.testing.assert_equal(curve(frame, "loss/G"), [(1, 1.5), (2, np.nan)])
    frame = written("run,step,phase,metric,value\na,1,train,loss,1\na,1,val,loss,2\nb,1,train,loss,3\n")
    assert curve(frame, "loss", "a") == [(1, 1)]
    assert curve(frame, "val/loss", "a") == [(1, 2)]
    assert curve(frame, "loss", "b") == [(1, 3)]
    assert frame.attrs["step_units"] == {"a": "steps", "b": "steps"}


def test_epochs_with_a_column_for_the_split(written, curve):
    frame = written("epoch,phase,loss\n0,train,1\n0,val,2\n1,train,3\n1,val,4\n")
    assert curve(frame, "loss") == [(0, 1), (1, 3)]
    assert curve(frame, "val/loss") == [(0, 2), (1, 4)]
    assert frame.attrs["step_unit"] == "epochs"


def test_exports_of_other_dashboards(written, curve):
    wandb = '"Step","a - loss","a - loss__MIN","a - loss__MAX","b - loss","b - loss__MIN","b - loss__MAX"\n'
    frame = written(wandb + '"1","0.5","0.5","0.5","","",""\n"2","0.25","0.25","0.25","1","1","1"\n')
    assert curve(frame, "loss", "a") == [(1, 0.5), (2, 0.25)]
    assert curve(frame, "loss", "b") == [(2, 1)]
    board = written("Wall time,Step,Value\n1700000000.5,10,0.5\n1700000010.5,20,0.25\n", "run-x-tag-d_loss.csv")
    assert curve(board, "loss/D") == [(10, 0.5), (20, 0.25)]
    assert board["original"].unique().tolist() == ["d_loss"]


def test_lightning_is_sparse(sample, curve):
    frame = sample("lightning.csv")
    assert curve(frame, "loss") == [(49, 0.5), (99, 0.25)]
    assert curve(frame, "lr") == [(99, 0.0002)]
    assert frame.loc[frame["tag"] == "lr", "original"].tolist() == ["lr-Adam"]


def test_headers_in_comments_or_missing(written, curve):
    assert curve(written("# step loss\n1 0.5\n2 0.25\n"), "loss") == [(1, 0.5), (2, 0.25)]
    assert curve(written("1,0.5\n2,0.25\n"), "column 2") == [(1, 0.5), (2, 0.25)]


def test_a_later_header_with_new_columns(written, curve):
    frame = written("step,loss\n1,5\nstep,fid,loss\n2,90,4\n")
    assert curve(frame, "loss") == [(1, 5), (2, 4)]
    assert curve(frame, "fid") == [(2, 90)]


def test_one_row_and_one_column(written, curve):
    assert curve(written("step,loss\n7,0.5"), "loss") == [(7, 0.5)]
    assert curve(written("loss\n0.5\n0.25\n"), "loss") == [(0, 0.5), (1, 0.25)]


def test_a_header_alone_is_a_run_that_just_began(written):
    frame = written("step,images,loss/D\n")
    assert frame.empty
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == DTYPES


def test_large_dirty_files_are_read_in_pieces(written, curve):
    rows = [f"{i},{i / 2}" for i in range(45_000)]
    rows[30_000] = "broken"
    frame = written("step,loss\n" + "\n".join(rows))
    assert len(frame) == 44_999
    assert frame["value"].equals(pd.Series(frame["step"] / 2))
