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


def test_our_own_log(read_text, points):
    frame = read_text(
        "step,images,wall_time,loss/D,loss/G,D/real\n20,1280,1700000000.5,0.5,1.5,\n40,2560,1700000001.5,,,0\n"
    )
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == DTYPES
    assert points(frame, "images") == [(20, 1280), (40, 2560)]
    assert points(frame, "loss/D") == [(20, 0.5)]  # a blank is no row
    assert points(frame, "D/real") == [(40, 0)]
    assert frame["wall_time"].unique().tolist() == [1700000000.5, 1700000001.5]
    units = {"step_unit": "steps", "step_units": {"run": "steps"}}
    assert frame.attrs == units | {"skipped": [], "skipped_total": 0, "notebooks": {}}


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " ", ", "])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
def test_separators_and_line_ends(read_text, points, separator, end):
    rows = [["step", "d_loss", "g_loss"], ["1", "0.5", "1.5"], ["2", "0.25", "-3e68"]]
    text = (end or "\n").join(separator.join(row) for row in rows) + end
    frame = read_text(text)
    assert points(frame, "loss/D") == [(1, 0.5), (2, 0.25)]
    assert points(frame, "loss/G") == [
        (1, 1.5),
        (2, pytest.approx(-3e68, rel=1e-15)),
    ]  # pandas 2 rounds the last bit otherwise
    assert frame.attrs["skipped_total"] == 0


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_decimal_commas(read_text, points, separator):
    text = "step;loss_D;loss_G\n1;0,5;1.250,75\n2;0,25;7\n".replace(";", separator)
    frame = read_text(text)
    assert points(frame, "loss/D") == [(1, 0.5), (2, 0.25)]
    assert points(frame, "loss/G") == [(1, 1250.75), (2, 7)]


@pytest.mark.parametrize(
    ("step", "epoch"),
    [("Schritt", "Epoche"), ("étape", "époque"), ("Iteración", "Época"), ("шаг", "эпоха"), ("步数", "轮次")],
)
def test_steps_and_epochs_of_other_languages(read_text, points, step, epoch):
    frame = read_text(f"{epoch};{step};loss\n1;100;0,5\n2;200;0,4\n")
    assert points(frame, "loss") == [(100, 0.5), (200, 0.4)]
    assert points(frame, "epoch") == [(100, 1), (200, 2)]
    assert read_text(f"{epoch};loss\n1;0,5\n2;0,4\n").attrs["step_unit"] == "epochs"


def test_dots_beside_decimal_commas_set_off_thousands_where_nothing_else_fits(read_text, points):
    """As Excel writes them in German; a column of numbers with three decimals stays one."""
    rows = [("500", "0,51", "500", "1.234"), ("1.000", "1.234,5", "1.000", "1.334"), ("1.500", "2.000", "1.500", "0.5")]
    text = "step;d_loss;Bilder;g_loss\n" + "".join(";".join(row) + "\n" for row in rows)
    frame = read_text(text)
    assert points(frame, "loss/D") == [(500, 0.51), (1000, 1234.5), (1500, 2000)]
    assert points(frame, "Bilder") == [(500, 500), (1000, 1000), (1500, 1500)]
    assert points(frame, "loss/G") == [(500, 1.234), (1000, 1.334), (1500, 0.5)]
    thousands = read_text("step;loss\n1.000;0,5\n2.000;0,4\n")
    assert points(thousands, "loss") == [(1000, 0.5), (2000, 0.4)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(read_text, points, encoding):
    frame = read_text("step,Güte\n1,0.5\n2,0.25\n".encode(encoding))
    assert points(frame, "Güte") == [(1, 0.5), (2, 0.25)]


def test_what_was_logged_as_not_finite_stays_and_what_was_not_logged_is_no_row(read_text, points):
    frame = read_text("step,a,b,c\n1,nan,N/A,1\n2,inf,,2\n3,-Infinity,None,3\n4,NaN,-,4\n")
    np.testing.assert_equal(points(frame, "a"), [(1, np.nan), (2, np.inf), (3, -np.inf), (4, np.nan)])
    assert points(frame, "b") == []
    assert len(points(frame, "c")) == 4


def test_dirt_is_skipped_and_counted_by_line(read_text, points, skipped_reasons):
    text = "# made by hand\nstep,loss\n1,0.5\n\n2,what\ngarbage\n3,0.25,7,8\nstep,loss\n"
    text += "4,tensor(0.125)\n5,1.5e\n6,0.0625\n7"
    frame = read_text(text)
    assert points(frame, "loss") == [(1, 0.5), (4, 0.125), (6, 0.0625)]
    assert skipped_reasons(frame) == [
        (1, "a comment"),
        (6, "it has 1 field instead of 2"),
        (7, "it has 4 fields instead of 2"),
        (8, "the header again"),
        (12, "the last line is half written"),
        (5, "in column loss, 'what' is no number"),
        (10, "in column loss, '1.5e' is no number"),
    ]
    assert frame.attrs["skipped_total"] == 7


def test_only_the_first_skipped_are_listed_and_all_are_counted(read_text):
    frame = read_text("step,loss\n" + "".join(f"{i},{i}\nbad\n" for i in range(500)))
    assert frame.attrs["skipped_total"] == 500
    assert len(frame.attrs["skipped"]) == 100


def test_durations_dates_and_doubled_names(read_text, points):
    text = "step,time,loss,loss,duration\n1,2024-01-01T00:00:00+01:00,1,2,9 days, 20:04:38\n"
    text += "2,2024-01-01 00:00:00,3,4,0:00:05\n"
    frame = read_text(text)
    assert points(frame, "loss") == [(1, 1), (2, 3)]
    assert points(frame, "loss.1") == [(1, 2), (2, 4)]
    assert points(frame, "duration") == [(1, 849878), (2, 5)]
    assert frame["wall_time"].unique().tolist() == [1704063600, 1704067200]


@pytest.mark.parametrize("stamp", ["1700000000.25", "1700000000250", "1700000000250000"])
def test_wall_times_of_any_unit(read_text, stamp):
    assert read_text(f"step,timestamp,loss\n1,{stamp},2\n")["wall_time"].tolist() == [1700000000.25]


def test_a_time_since_the_start_is_a_scalar(read_text, points):
    frame = read_text("step,time,loss\n1,5,2\n2,10,2\n")
    assert frame["wall_time"].isna().all()
    assert points(frame, "time") == [(1, 5), (2, 10)]


def test_a_restart_is_a_segment_of_all_tags(read_text):
    frame = read_text("step,a,b\n1,1,\n2,1,1\n3,1,1\n3,1,1\n2,1,\n3,1,1\n4,1,1\n1,1,1\n")
    assert frame.loc[frame["tag"] == "a", "segment"].tolist() == [0, 0, 0, 0, 1, 1, 1, 2]
    assert frame.loc[frame["tag"] == "b", "segment"].tolist() == [0, 0, 0, 1, 1, 2]


def test_epochs_that_restart_and_epochs_of_several_rows(read_text, points):
    frame = read_text("epoch,loss\n" + "0,3\n1,2\n2,1\n" * 3)
    assert frame.attrs["step_unit"] == "epochs"
    assert frame["segment"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    frame = read_text("epoch,loss\n0,5\n0,4\n0,3\n1,2\n1,1\n1,0\n")
    assert frame.attrs["step_unit"] == "steps"
    assert points(frame, "loss") == [(i, 5 - i) for i in range(6)]


def test_the_evaluation_of_an_old_checkpoint_is_no_restart(read_text, points):
    frame = read_text("step,loss,fid\n1,5,90\n2,4,80\n1,,91\n3,3,70\n")
    assert frame["segment"].max() == 0
    assert points(frame, "fid") == [(1, 90), (1, 91), (2, 80), (3, 70)]


def test_batches_start_over_in_each_epoch(read_text, points):
    text = "epoch,batch,loss\n" + "".join(f"{e},{b},{e}.{b}\n" for e in (1, 2, 3) for b in (0, 100, 200))
    frame = read_text(text)
    assert points(frame, "loss") == [(i * 100, float(f"{i // 3 + 1}.{i % 3 * 100}")) for i in range(9)]
    assert [value for _, value in points(frame, "epoch")] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
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
def test_the_step_is_found(read_text, header, unit, step):
    frame = read_text(f"{header}\n10,0.5,0.25\n20,1.5,0.125\n")
    assert frame.attrs["step_unit"] == unit
    assert frame["step"].iloc[0] == step


def test_the_step_is_given(read_text, points):
    text = "step,epoch,loss\n100,1,0.5\n200,2,0.25\n"
    frame = read_text(text, step="epoch")
    assert points(frame, "loss") == [(1, 0.5), (2, 0.25)]
    assert points(frame, "step") == [(1, 100), (2, 200)]
    assert frame.attrs["step_unit"] == "epochs"
    with pytest.raises(LogError, match="no column 'images', only step, epoch, loss"):
        read_text(text, step="images")


def test_rows_without_a_step(read_text, points, skipped_reasons):
    frame = read_text("step,loss\n1,0.5\n,0.25\n1e300,1\n4,2\n")
    assert points(frame, "loss") == [(1, 0.5), (4, 2)]
    assert skipped_reasons(frame) == [(3, "the row has no step"), (4, "the row has no step")]


def test_long_tables(read_sample, read_text, points):
    frame = read_sample("long.tsv")
    assert points(frame, "loss/D") == [(1, 0.5), (2, 0.25)]
    np.testing.assert_equal(points(frame, "loss/G"), [(1, 1.5), (2, np.nan)])
    frame = read_text("run,step,phase,metric,value\na,1,train,loss,1\na,1,val,loss,2\nb,1,train,loss,3\n")
    assert points(frame, "loss", "a") == [(1, 1)]
    assert points(frame, "val/loss", "a") == [(1, 2)]
    assert points(frame, "loss", "b") == [(1, 3)]
    assert frame.attrs["step_units"] == {"a": "steps", "b": "steps"}


def test_epochs_with_a_column_for_the_split(read_text, points):
    frame = read_text("epoch,phase,loss\n0,train,1\n0,val,2\n1,train,3\n1,val,4\n")
    assert points(frame, "loss") == [(0, 1), (1, 3)]
    assert points(frame, "val/loss") == [(0, 2), (1, 4)]
    assert frame.attrs["step_unit"] == "epochs"


def test_exports_of_other_dashboards(read_text, points):
    wandb = '"Step","a - loss","a - loss__MIN","a - loss__MAX","b - loss","b - loss__MIN","b - loss__MAX"\n'
    frame = read_text(wandb + '"1","0.5","0.5","0.5","","",""\n"2","0.25","0.25","0.25","1","1","1"\n')
    assert points(frame, "loss", "a") == [(1, 0.5), (2, 0.25)]
    assert points(frame, "loss", "b") == [(2, 1)]
    board = read_text("Wall time,Step,Value\n1700000000.5,10,0.5\n1700000010.5,20,0.25\n", "run-x-tag-d_loss.csv")
    assert points(board, "loss/D") == [(10, 0.5), (20, 0.25)]
    assert board["original"].unique().tolist() == ["d_loss"]


def test_comet_names_its_columns_in_one_word(read_text, points):
    """Two metrics are no curve of both."""
    metrics = (("g_loss", 1.5), ("FID", 40))
    rows = "".join(f'"{m}","{v}","{1700000000000 + s}","{s}","0","train"\n' for s in (0, 10) for m, v in metrics)
    frame = read_text('"metricName","metricValue","timestamp","step","epoch","runContext"\n' + rows)
    assert points(frame, "loss/G") == [(0, 1.5), (10, 1.5)]
    assert points(frame, "fid") == [(0, 40), (10, 40)]
    assert frame["wall_time"].min() == 1700000000


@pytest.mark.parametrize(
    "name", ["train/global_step", "trainer/global_step", "train_step", "globalStep", "time/total_timesteps"]
)
def test_the_step_is_found_under_the_names_that_trainers_log_it_with(read_text, points, name):
    """Hugging Face's and Lightning's in Weights & Biases, whose own axis counts calls; Stable-Baselines3's."""
    frame = read_text(f"_step,{name},train/epoch,train/loss\n0,500,0.5,3\n1,1000,1,2\n2,1500,1.5,1\n")
    assert points(frame, "loss") == [(500, 3), (1000, 2), (1500, 1)]
    assert points(frame, "epoch") == [(500, 0.5), (1000, 1), (1500, 1.5)]
    assert frame.attrs["step_unit"] == "steps"
    export = f'"{name}","a - train/loss","a - train/loss__MIN"\n"500","3","3"\n"1000","2","2"\n'
    assert points(read_text(export), "loss", "a") == [(500, 3), (1000, 2)]


def test_a_row_of_weights_and_biases_without_the_trainers_step_has_the_last(read_text, points):
    frame = read_text("_step,train/global_step,train/loss,fid\n0,500,3,\n1,,,40\n2,1000,2,\n3,,,30\n4,1500,1,\n")
    assert points(frame, "fid") == [(500, 40), (1000, 30)]
    assert frame.attrs["skipped_total"] == 0


def test_the_time_of_a_step_is_no_step(read_text, points):
    frame = read_text("epoch,train_time,time/step,loss\n1,60,2,0.5\n2,61,2,0.4\n")
    assert points(frame, "loss") == [(1, 0.5), (2, 0.4)]
    assert points(frame, "train_time") == [(1, 60), (2, 61)]


def test_lightning_is_sparse(read_sample, points):
    frame = read_sample("lightning.csv")
    assert points(frame, "loss") == [(49, 0.5), (99, 0.25)]
    assert points(frame, "lr") == [(99, 0.0002)]
    assert frame.loc[frame["tag"] == "lr", "original"].tolist() == ["lr-Adam"]


def test_headers_in_comments_or_missing(read_text, points):
    assert points(read_text("# step loss\n1 0.5\n2 0.25\n"), "loss") == [(1, 0.5), (2, 0.25)]
    assert points(read_text("1,0.5\n2,0.25\n"), "column 2") == [(1, 0.5), (2, 0.25)]


def test_a_later_header_with_new_columns(read_text, points):
    frame = read_text("step,loss\n1,5\nstep,fid,loss\n2,90,4\n")
    assert points(frame, "loss") == [(1, 5), (2, 4)]
    assert points(frame, "fid") == [(2, 90)]


def test_one_row_and_one_column(read_text, points):
    assert points(read_text("step,loss\n7,0.5"), "loss") == [(7, 0.5)]
    assert points(read_text("loss\n0.5\n0.25\n"), "loss") == [(0, 0.5), (1, 0.25)]


def test_a_header_alone_is_a_run_that_just_began(read_text):
    frame = read_text("step,images,loss/D\n")
    assert frame.empty
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == DTYPES


def test_large_dirty_files_are_read_in_pieces(read_text, points):
    rows = [f"{i},{i / 2}" for i in range(45_000)]
    rows[30_000] = "broken"
    frame = read_text("step,loss\n" + "\n".join(rows))
    assert len(frame) == 44_999
    assert frame["value"].equals(pd.Series(frame["step"] / 2))


@pytest.mark.parametrize(
    "table",
    [
        "Name,State,Runtime,d_loss,fid\nsunny-1,finished,3600,0.4,33.2\nsunny-2,crashed,20,0.6,\n",
        "model,fid,is\ndcgan,30.5,4.5\nwgan,20.5,5.5\n",
        ",fid,is\ndcgan,30.5,4.5\nwgan,20.5,5.5\n",
        "class,fid\ncat,30.5\ndog,20.5\n",
    ],
)  # fmt: skip
def test_tables_that_compare_runs_say_so(read_text, table):
    with pytest.raises(LogError, match="its rows compare 2 runs, models or classes"):
        read_text(table)


@pytest.mark.parametrize(
    ("table", "settings"),
    [
        ("lr,batch_size,fid\n0.0001,64,33.5\n0.0002,64,28.5\n0.0002,128,41\n", "batch_size, lr"),
        ("learning_rate,d_loss\n0.1,0.5\n0.01,0.6\n0.001,0.7\n", "learning_rate"),
        ("lr,epochs,fid\n0.1,50,33.5\n0.01,50,28.5\n0.001,50,41\n", "lr"),  # epochs, the number of each run
        ("config/lr,config/width,fid\n0.123,64,33.5\n0.0234,64,28.5\n", "config_lr"),
        ("seed,fid\n0,33.5\n1,28.5\n2,41\n", "seed"),
        ("optimizer,fid\nadam,33.5\nsgd,28.5\n", "optimizer"),
    ],
)  # fmt: skip
def test_sweeps_say_so(read_text, table, settings):
    with pytest.raises(LogError, match=f"rows are runs that differ in {settings}, and are no steps"):
        read_text(table)


@pytest.mark.parametrize(
    "table",
    [
        "lr,loss\n0.1,5\n0.099,4\n0.09801,3\n",  # a schedule
        "lr,loss\n0.1,5\n0.1,4\n0.01,3\n0.01,2\n",
        "lr,batch_size,loss\n0.1,64,5\n0.1,64,4\n0.1,23,3\n0.1,64,2\n",  # the last batch of an epoch
        "step,lr,batch_size,loss\n1,0.1,64,5\n2,0.01,128,4\n3,0.001,256,3\n",
        "epoch,seed,loss\n1,7,5\n2,8,4\n3,9,3\n",
    ],
)  # fmt: skip
def test_logs_with_hyperparameters_stay_logs(read_text, table):
    assert len(read_text(table).query("tag == 'loss'")) == table.count("\n") - 1


@pytest.mark.parametrize(
    "table",
    [
        "| epoch | d_loss |\n|-------|--------|\n| 1 | 0.5 |\n| 2 | 0.25 |\n",
        "+-------+--------+\n| epoch | d_loss |\n+=======+========+\n| 1 | 0.5 |\n+-------+--------+\n| 2 | 0.25 |\n",
        "┏━━━━━━━┳━━━━━━━━┓\n┃ epoch ┃ d_loss ┃\n┡━━━━━━━╇━━━━━━━━┩\n│ 1     │ 0.5    │\n│ 2     │ 0.25   │\n",
        "╔═══════╦════════╗\n║ epoch ║ d_loss ║\n╠═══════╬════════╣\n║ 1     ║ 0.5    ║\n║ 2     ║ 0.25   ║\n",
    ],
    ids=["Markdown", "grid", "rich", "double"],
)
def test_tables_drawn_with_lines(read_text, points, table):
    frame = read_text(table)
    assert points(frame, "loss/D") == [(1, 0.5), (2, 0.25)]
    assert set(frame["tag"]) == {"loss/D"}
    assert not frame.attrs["skipped_total"]


def test_fastai_whose_last_column_is_a_time(read_text, points):
    frame = read_text(
        "epoch     train_loss  time    \n0         0.5         00:10     \n1         0.25        00:11     \n"
    )
    assert points(frame, "loss") == [(0, 0.5), (1, 0.25)]


@pytest.mark.parametrize("end", ["3,0.", "3,1e", "3,2e-", "3,-"])
def test_a_number_that_is_being_written_is_not_cut(read_text, points, skipped_reasons, end):
    frame = read_text(f"step,loss\n1,0.5\n2,0.25\n{end}")
    assert points(frame, "loss") == [(1, 0.5), (2, 0.25)]
    assert skipped_reasons(frame) == [(4, "the last line is half written")]
