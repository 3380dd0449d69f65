"""What several rooms' tests share: checked array shapes, face models, a browser, a batch, a tiny prepared data set."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from jaxtyping import install_import_hook
from PIL import Image

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: pytest's processes share the cores
signal.signal(signal.SIGINT, signal.default_int_handler)  # else processes started here ignore Ctrl-C where pytest does

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from dgfas.core.manifest import Manifest
    from dgfas.data.batches import Batch

# The shapes and types in the annotations of these rooms are checked at every call; an int may stand for a float.
install_import_hook(
    ["dgfas.data", "dgfas.domains", "dgfas.networks", "dgfas.losses", "dgfas.methods"],
    "beartype.beartype(conf=beartype.BeartypeConf(is_pep484_tower=True))",
)


@pytest.fixture(scope="session")
def models() -> None:
    """Fetch the face models once; without a network skip, except in CI."""
    from dgfas.core.errors import UserError
    from dgfas.faces.models import fetch_models

    try:
        fetch_models()
    except UserError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the face models are not there and cannot be fetched: {error}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Chromium for the tests of one file; without it skip, except in CI. See `browser.py` for what helps."""
    from browser import chromium

    with chromium() as started:
        yield started


@pytest.fixture
def make_batch() -> Callable[..., Batch]:
    """Return a maker of random batches; each domain has its own brightness, and one spoof's depth is unknown."""
    import torch  # here, so that the rooms without torch are tested without it

    from dgfas.data.batches import Batch

    def make(
        n_domains: int = 3, per_class: int = 2, side: int = 32, dtype: torch.dtype = torch.float64, seed: int = 0
    ) -> Batch:
        generator = torch.Generator().manual_seed(seed)
        size = 2 * per_class
        live = torch.tensor([1.0] * per_class + [0.0] * per_class, dtype=dtype).repeat(n_domains)
        domain = torch.arange(n_domains).repeat_interleave(size)
        images = torch.rand(n_domains * size, 6, side, side, generator=generator, dtype=dtype)
        depth = torch.rand(n_domains * size, 1, side // 8, side // 8, generator=generator, dtype=dtype)
        depth_known = torch.ones(n_domains * size, dtype=torch.bool)
        depth_known[size - 1] = False
        return Batch(
            images=images * (domain[:, None, None, None] + 1) / n_domains,
            depth=depth * live[:, None, None, None],
            depth_known=depth_known,
            live=live,
            domain=domain,
            row=torch.arange(n_domains * size),
            n_domains=n_domains,
        )

    return make


@pytest.fixture
def prepared(tmp_path: Path) -> Manifest:
    """Write a prepared data set of six random crops (two domains; live with a depth map, print, mask) and read it."""
    from dgfas.core.manifest import Manifest, write_manifest

    random = np.random.default_rng(0)
    (tmp_path / "faces").mkdir()
    rows = []
    for domain in ("desk", "hall"):
        for species, kind in (("live", "map"), ("print", "zero"), ("mask", "unknown")):
            name = f"faces/{domain}-{species}"
            Image.fromarray(random.integers(0, 256, (48, 48, 3), np.uint8)).save(tmp_path / f"{name}.png")
            depth = None
            if kind == "map":
                depth = f"{name}-depth.png"
                Image.fromarray(random.integers(0, 256, (48, 48), np.uint8)).save(tmp_path / depth)
            rows.append(
                {
                    "domain": domain,
                    "subject": f"{domain}-1",
                    "recording": species,
                    "frame": 0,
                    "split": "train",
                    "label": int(species == "live"),
                    "species": species,
                    "face": f"{name}.png",
                    "depth": depth,
                    "depth_kind": kind,
                }
            )
    write_manifest(tmp_path, pd.DataFrame(rows))
    return Manifest.read(tmp_path)
