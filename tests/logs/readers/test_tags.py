"""The table of tags: each dialect's names, this project's own, and names that mean the same in one log."""

from __future__ import annotations

import pytest

from ganlib.logs.tags import EVALUATION_TAGS, Tag, canonical_tag, canonical_tags

DIALECTS = {
    "loss/D": ["d_loss", "D_loss", "loss_D", "Loss_D", "errD", "lossD", "dis_loss", "Discriminator_loss", "Dis_loss",
               "disc_loss", "Disc Loss", "Loss/D/loss", "loss_dis", "D loss", "dLoss", "train/d_loss",
               "train_d_loss_epoch", "discriminator/loss", "critic_loss"],
    "loss/G": ["g_loss", "Loss_G", "errG", "gen_loss", "Gen_loss", "Generator_loss", "Loss/G/loss", "G loss"],
    "loss/D/real": ["D_loss_real", "d_loss_real", "loss_D_real"],
    "loss/D/fake": ["D_loss_fake", "loss_D_fake"],
    "loss/D/reg": ["Loss/D/reg"],
    "D/r1": ["Loss/r1_penalty"],
    "D/real": ["D(x)", "Loss/scores/real", "dis_logit_real", "D/real", "real_score"],
    "D/fake": ["D(G(z))", "Loss/scores/fake", "dis_logit_fake", "D/fake", "fake_score"],
    "ada/p": ["Progress/augment", "augment", "ada_p", "aa_p"],
    "ada/r_t": ["Loss/signs/real", "dis_sign_real"],
    "fid": ["FID", "fid", "fid50k_full", "Metrics/fid50k_full", "FID score", "fid_50k_50k", "fid50k",
            "FID-Full-50k/fid"],
    "isc": ["IS_mean", "is50k_mean", "Inception score", "IS score", "inception_score_50k"],
    "isc/std": ["IS_std", "is50k_std"],
    "kid": ["kid50k_full", "kid_50k", "KID"],
    "precision": ["pr50k3_full_precision", "Improved Precision", "precision"],
    "recall": ["pr50k3_full_recall", "Improved Recall"],
    "density": ["Density"],
    "coverage": ["Coverage"],
    "ppl": ["ppl2_wend", "ppl_zfull"],
    "lr": ["lr", "learning_rate", "lr-Adam", "train/lr"],
    "lr/D": ["lr_D", "d_lr"],
    "elapsed": ["elapsed_time", "time/time_elapsed", "Relative Time (Process)", "Timing/total_sec",
                "_runtime", "Elapsed"],
    "epoch": ["epoch", "Epoch"],
    "accuracy": ["acc", "accuracy", "acc."],
}  # fmt: skip
OURS = ["loss/D", "loss/G", "loss/GE", "loss/E", "loss/D/16", "loss/reconstruction", "loss/prior", "loss/classify",
        "loss/kl", "grad/D", "grad/G", "grad/GE", "D/real", "D/fake", "D/real/8", "D/accuracy", "D/penalty",
        "D/supervised", "information/categorical", "resolution", "alpha", "accuracy", "images/s", "images"]  # fmt: skip


@pytest.mark.parametrize("tag", DIALECTS)
def test_each_dialect(tag):
    assert {name: canonical_tag(name).name for name in DIALECTS[tag]} == dict.fromkeys(DIALECTS[tag], tag)


def test_what_is_no_other_name_of_it_stays():
    for name in [
        *OURS,
        "val_loss",
        "best_fid",
        "D_A",
        "disc_loss_ratio",
        "epoch_elapsed",
        "step_size",
        "fidelity",
        "Timing/Gmain",
        "isometry",
    ]:
        assert canonical_tag(name) == Tag(name)


def test_kimg_are_thousands_of_images():
    assert canonical_tag("Progress/kimg") == canonical_tag("kimg") == Tag("images", 1000)


def test_of_two_names_for_one_tag_the_plainer_gets_it():
    tags = canonical_tags(["train_loss", "loss", "FID score", "fid50k_full"], {})
    assert [tag.name for tag in tags] == ["train_loss", "loss", "fid", "fid50k_full"]


@pytest.mark.parametrize("other", ["precision", "prc", "Improved Precision", "metrics/prc"])
def test_rec_is_recall_beside_precision_alone(other):
    assert canonical_tags(["fid", other, "rec"], {})[1:] == [Tag("precision"), Tag("recall")]


def test_a_loss_of_reconstruction_is_no_recall_and_a_response_time_no_sign_of_overfitting():
    names = ["step", "loss", "rec", "kl", "prc_auc", "rt"]
    assert [tag.name for tag in canonical_tags(names, {})] == names
    assert canonical_tags(["prc", "roc"], {}) == [Tag("prc"), Tag("roc")]  # the area under a precision-recall curve
    assert canonical_tags(["prc", "recall"], {}) == [Tag("precision"), Tag("recall")]


def test_a_dialect_goes_first():
    assert canonical_tags(["time", "D_real"], {"time": "elapsed"}) == [Tag("elapsed"), Tag("D/real")]


def test_evaluations_are_tags_of_the_table():
    assert {canonical_tag(tag).name for tag in EVALUATION_TAGS} == EVALUATION_TAGS
