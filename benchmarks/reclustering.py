"""Naming domains anew: 20,000 random frames of 64 px, the networks of the setting `small`, providers `pdl` and `d2am`.

The feature pass collects style statistics of all frames; it is compared with one forward that scores the same
frames, without gradient. Naming is all that follows: scaling or PCA, k-means, matching, and the diagnostics.
"""

from collections.abc import Callable

import numpy as np
import torch

from benchmarks.networks import N_DOMAINS, SMALL, build
from benchmarks.result import Figure, per_second, times_as_long
from benchmarks.timing import interleaved, one_thread
from dgfas.data.batches import BatchLoader
from dgfas.data.frames import PackedFrames
from dgfas.domains.provider import FrameTable
from dgfas.domains.registry import make_provider
from dgfas.domains.style import Style
from dgfas.methods.style import collect_style
from dgfas.training.scoring import raw_scores

METHODS = {"pdl": "pdl_fas", "d2am": "d2am"}


def random_frames(n: int, side: int) -> BatchLoader:
    """Return a loader of random frames, as bytes in memory."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (n, 6, side, side), dtype=np.uint8)
    packed = PackedFrames(images, np.zeros((n, side // 8, side // 8), np.uint8), np.ones(n, bool))
    position = np.stack([np.zeros(n, np.int64), np.arange(n)], axis=1)
    return BatchLoader([packed], position, random.random(n) < 0.5, torch.device("cpu"))


def compared(kind: str, name: str, loader: BatchLoader, rounds: int) -> list[Figure]:
    """Return the figures of one provider of domains, with the method that it comes from."""
    n = len(loader.position)
    method, provider = build(name, SMALL), make_provider({"provider": kind}, N_DOMAINS, seed=0)
    given = np.random.default_rng(1).integers(0, N_DOMAINS, n)

    def collect() -> Style:
        assert provider.style_kind is not None
        return collect_style(provider.style_kind, method, loader.chunks(), n)

    style = collect()
    table = FrameTable(loader.live, given, lambda weights: style)
    works: dict[str, Callable[[], object]] = {
        "forward": lambda: raw_scores(method, loader),
        "collect": collect,
        "assign": lambda: provider.assign(1, table, lambda: style, given),
    }
    times = interleaved(works, rounds, warm_up=False)
    case = f"{kind}, {n} frames"
    return [
        times_as_long(f"{case}: feature pass against one forward", times["collect"], times["forward"], most=1.1),
        times_as_long(f"{case}: naming against the feature pass", times["assign"], times["collect"], most=0.1),
        per_second(f"{case}: feature pass", "frames", n, times["collect"]),
    ]


def run(quick: bool) -> list[Figure]:
    one_thread()
    loader = random_frames(2_000 if quick else 20_000, SMALL.image_size)
    return [figure for kind, name in METHODS.items() for figure in compared(kind, name, loader, 2 if quick else 3)]
