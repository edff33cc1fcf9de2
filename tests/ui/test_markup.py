"""Texts from outside as Streamlit's Markdown; what a browser makes of them: ``tests/browser/test_browser_texts.py``."""

from __future__ import annotations

import pytest

from ganlib.ui.markup import WORD_JOINER, plain


@pytest.mark.parametrize(
    "text",
    [
        "digits-vae_conv",
        "cifar10-jpeg, 32 px · 10 classes to choose from",
        "embedded cifar10-classifier · 10,000 generated vs 50,000 cifar10-jpeg train",
        "/tmp/run_1/config.json is damaged (Expecting value: line 1 column 1); copy the whole run folder again.",
    ],
)
def test_usual_names_and_sentences_stay_as_they_are(text):
    assert plain(text) == text


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("![a](x.png)", r"!\[a\](x.png)"),
        ("<img src=x>", r"\<img src=x>"),
        (":red[x]", r"\:red\[x\]"),
        ("$x$ *b* `c` ~d~", r"\$x\$ \*b\* \`c\` \~d\~"),
        ("_a_ b_c", r"\_a\_ b_c"),
        ("&lt; AT&T", r"\&lt; AT&T"),
        ("# h", r"\# h"),
        ("- 1", r"\- 1"),
        ("2. b", r"2\. b"),
        ("\\*", r"\\\*"),
        ("a\n\nb", "a b"),
        ("\ud800\x00", "��"),
        ("http://a www.b c@d", rf"http:{WORD_JOINER}//a www{WORD_JOINER}.b c@{WORD_JOINER}d"),
        (":material/bolt:", f":{WORD_JOINER}material/bolt:"),
        (3.5, "3.5"),
    ],
)
def test_what_markdown_would_change_is_escaped(text, markdown):
    assert plain(text) == markdown
