"""Help texts: Markdown of documents as plain text."""

from __future__ import annotations

import pytest

from dynclient.cli.commands import plain_line, plain_text

LINES = {
    "see [the page](https://a.test/b_c_d)": "see the page (https://a.test/b_c_d)",
    "[a](https://a.test/x(y)) b": "a (https://a.test/x(y)) b",
    "**bold**, *thin*, _this_ and __that__": "bold, thin, this and that",
    "snake_case_name and 2*3*4": "snake_case_name and 2*3*4",
    "`a_b*c*` and **`x/y`**": "a_b*c* and x/y",
    "one<br/>two <b>three</b>": "one two three",
    "a < b and c > d": "a < b and c > d",
    "<https://a.test>": "https://a.test",
    "![alt](https://a.test/i.png)": "alt",
    "`unclosed and **this": "`unclosed and **this",
}


@pytest.mark.parametrize("text", LINES)
def test_a_line(text):
    assert plain_line(text) == LINES[text]


def test_a_text_keeps_lists_code_and_urls_whole():
    url = "https://a.test/" + "long-" * 12 + "end"
    text = f"""First line
goes on.

# Title
* one item that is so long that it has to go on in the next line
* see [x]({url})
1. number

```
code   stays
```
> quoted
"""
    assert (
        plain_text(text, 40)
        == f"""First line goes on.

Title

* one item that is so long that it has
  to go on in the next line
* see x
  ({url})
1. number

    code   stays

quoted"""
    )


@pytest.mark.parametrize("piece", ["[", "![a](", "**a", "<a ", "`", "_a", "(", "> ", "|", "#"])
def test_hostile_text_takes_no_time(piece):
    assert len(plain_text(piece * 20_000, 80)) <= 20_000 * (len(piece) + 2)
