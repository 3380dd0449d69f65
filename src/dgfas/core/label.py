"""Live or spoof. Every reader converts its data set's own numbers to this at the edge."""

from enum import IntEnum


class Label(IntEnum):
    """Class of a presentation: bona fide (live, 1) or attack (spoof, 0)."""

    SPOOF = 0
    LIVE = 1

    @property
    def word(self) -> str:
        return self.name.lower()
