"""Keep a report's text from doing anything on a terminal but being read."""


def printable(text: str) -> str:
    r"""Return the text with everything that is not printable spelled out, as `\n` or `\x1b`."""
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )
