"""The one exception for mistakes that a user can mend."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """A mistake in the input. The message names the file, key or value, and says what to do.

    The command line prints it as one line and exits with code 2; it never shows a traceback.
    """


def nearest(wrong: str, valid: Iterable[str]) -> str:
    """Return a hint that names the valid words nearest to `wrong`, or all of them where none is near."""
    words = sorted(valid)
    near = difflib.get_close_matches(wrong, words, n=3, cutoff=0.5)
    if near:
        return "did you mean " + " or ".join(repr(word) for word in near) + "?"
    return "valid: " + ", ".join(words)
