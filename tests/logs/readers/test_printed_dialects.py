"""What scripts print: Brownlee's lines, OpenAI's boxes, Hugging Face's dictionaries, results, lists, columns."""

from __future__ import annotations

import pytest

from ganlib.logs import Follower, LogError, read


def test_brownlee_counts_batches_through_the_epochs(read_text, points):
    line = ">{}, {}/390, d1=0.7{}, d2=0.625 g=0.75\n"
    frame = read_text(
        "".join(line.format(e, b, e) for e in (1, 2) for b in (1, 131)) + ">Saved: model_001.h5\n", "a.log"
    )
    assert points(frame, "loss/D/real") == [(1, 0.71), (131, 0.71), (391, 0.72), (521, 0.72)]
    assert points(frame, "loss/D/fake")[0] == (1, 0.625)
    assert points(frame, "loss/G")[-1] == (521, 0.75)
    assert frame.attrs["skipped_total"] == 1


@pytest.mark.parametrize(
    ("line", "tags"),
    [
        (">{}, d1[0.5] d2[0.25] g[82.5]", {"loss/D/real": 0.5, "loss/D/fake": 0.25, "loss/G": 82.5}),
        (">{}, c1=-0.5, c2=-0.25 g=0.125", {"loss/D/real": -0.5, "loss/D/fake": -0.25, "loss/G": 0.125}),
        (">{}, c[0.5,75], d[0.25,0.125], g[2]", {"loss/classify": 0.5, "accuracy": 75, "loss/D/fake": 0.125}),
        (">{}, dr[0.5,2.5], df[0.25,1.5], g[0.75,3.5]", {"loss/D/real class": 2.5, "loss/G class": 3.5}),
        (">{}, dA[0.5,0.25] dB[0.75,0.125] g[1.5,2.5]", {"loss/D_A/fake": 0.25, "loss/D_B/real": 0.75}),
    ],
)
def test_brownlee_in_brackets(read_text, points, line, tags):
    frame = read_text("".join(f"{line}\n".format(i) for i in (1, 2)), "out.txt")
    for tag, value in tags.items():
        assert points(frame, tag) == [(1, value), (2, value)]


BOX = "--------------------------\n| grad_norm  | 0.{0}125     |\n| loss       | 0.{0}     |\n| step  | {0}00  |\n"


def test_boxes_of_openai(tmp_path, read_text, points):
    rule = "--------------------------\n"
    frame = read_text("Logging to /tmp\n" + "".join(BOX.format(i) + rule for i in (1, 2, 3)) + BOX.format(4), "log.txt")
    assert points(frame, "loss") == [(100, 0.1), (200, 0.2), (300, 0.3)]
    assert frame.attrs["skipped"][-1].reason == "the box is half written"
    text = (
        "Logging to /tmp\n" + "".join(BOX.format(i) for i in range(1, 6)) + rule
    )  # a rule ends one and begins the next
    path = tmp_path / "progress.txt"
    path.touch()
    follower = Follower(path)
    for end in range(0, len(text) + 40, 40):
        path.write_text(text[:end])
        frame = follower.read()
    assert points(frame, "loss") == [(100 * i, i / 10) for i in range(1, 6)]


def test_boxes_of_stable_baselines(read_text, points):
    box = "------\n| rollout/           |          |\n|    ep_len_mean     | 2{0}.5     |\n| time/ |      |\n"
    box += "|    fps | 900 |\n|    total_timesteps | {0}048     |\n------\n"
    frame = read_text("".join(box.format(i).replace("------", "-" * 34) for i in (1, 2)), "sb3.log")
    assert points(frame, "rollout/ep_len_mean") == [(1048, 21.5), (2048, 22.5)]


def test_hugging_face(read_text, points):
    line = "\r {}%|##   | {}/20 [00:01<00:10,  1.0it/s]\r   \r{{'loss': {}, 'learning_rate': 5e-05, 'epoch': {}}}\n"
    text = "".join(line.format(5 * i, i, 2 - i / 8, i / 10) for i in range(1, 5))
    text += " 50%|##   | 1/2 [00:01<00:10,  1.0it/s]\r{'eval_loss': '1.5', 'epoch': '0.4'}\n"
    frame = read_text(text, "train.log")
    assert points(frame, "loss") == [(i, 2 - i / 8) for i in range(1, 5)]
    assert points(frame, "eval_loss") == [(4, 1.5)]
    frame = read_text("{'loss': 1.5, 'epoch': 0.5}\n{'loss': 1.25, 'epoch': 1.0}\n", "train.log")
    assert points(frame, "loss") == [(0, 1.5), (1, 1.25)]


def test_results_of_evaluations(read_text, points):
    assert points(read_text("FID:  37.125\n", "fid.txt"), "fid") == [(0, 37.125)]
    text = "compute FID between two folders\nFID fake : 100%|##| 10/10 [00:01<00:00, 9.1it/s]\nclean-fid score: 23.5\n"
    assert points(read_text(text, "fid.txt"), "fid") == [(0, 23.5)]
    frame = read_text("FID:  40.5\nKID: 0.25 ± 0.01\nFID: 30.5\nKID: 0.125 ± 0.01\n", "fid.txt")
    assert points(frame, "fid") == [(0, 40.5), (1, 30.5)]
    assert points(frame, "kid") == [(0, 0.25), (1, 0.125)]
    text = "inception_score_mean: 11.25\ninception_score_std: 0.5\nfrechet_inception_distance: 18.5\n"
    frame = read_text(text + "kernel_inception_distance_mean: 0.0125\n", "torch_fidelity.txt")
    assert {tag: points(frame, tag) for tag in ("isc", "isc/std", "fid", "kid")} == {
        "isc": [(0, 11.25)],
        "isc/std": [(0, 0.5)],
        "fid": [(0, 18.5)],
        "kid": [(0, 0.0125)],
    }


def test_python_lists(read_text, points):
    text = "G_losses = [2.0, 2.25, 2.5, 2.75, 3.0]\nD_losses = [1.0, 0.5,\n  0.25, 0.125, tensor(0.0625)]\n"
    frame = read_text(text, "losses.txt")
    assert points(frame, "loss/G") == [(0, 2), (1, 2.25), (2, 2.5), (3, 2.75), (4, 3)]
    assert points(frame, "loss/D")[-1] == (4, 0.0625)
    frame = read_text("{'loss': [5.5, 4.5, 3.5, 2.5, 1.5], 'val_loss': [5, 4, nan, 2, 1]}\n", "history.txt")
    assert points(frame, "loss")[-1] == (4, 1.5)
    assert len(points(frame, "val_loss")) == 5


def test_bare_column(read_text, points):
    frame = read_text("# losses\n" + "".join(f"{4 - i / 8:.18e}\n" for i in range(5)), "g_loss.txt")
    assert points(frame, "loss/G") == [(i, 4 - i / 8) for i in range(5)]
    assert points(read_text("0,5\n0,25\n0,125\n", "loss.txt"), "loss") == [(0, 0.5), (1, 0.25), (2, 0.125)]
    with pytest.raises(LogError, match="none of the known formats"):
        read_text("3\n1\n4\n1\n5\n", "labels.txt")


def test_column_that_grows(tmp_path, points):
    path = tmp_path / "loss.txt"
    path.write_text("0.5\n0.25\n0.125\n")
    follower = Follower(path)
    follower.read()
    with path.open("a") as file:
        file.write("0.0625\n")
    assert points(follower.read(), "loss") == points(read(path), "loss")
