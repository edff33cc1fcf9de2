"""Under which conditions the classifiers of a comparison were trained, in words."""

from __future__ import annotations

from ganlib.balances import Balance

OLDER_AUGMENTATION = "color, translation by up to 1/8 with mid-grey moving in"  # of results that do not say theirs


def conditions(balance: Balance) -> str:
    """What each classifier saw and on which hardware, and how copies were augmented."""
    protocol = balance.protocol
    side = f" of {protocol['image_size']} x {protocol['image_size']} pixels" if "image_size" in protocol else ""
    hardware = f" on {balance.hardware}" if balance.hardware else ""
    sentences = [f"Each classifier saw {int(protocol['train_images']):,} images{side}{hardware}."]
    if "augmentation" in set(balance.classifiers["method"]):
        sentences.append(f"Augmentation: {protocol.get('augmentation', OLDER_AUGMENTATION)}.")
    return " ".join(sentences)
