"""Who names the domains during training: the provider, fed by the method under training."""

from pathlib import Path

from jaxtyping import Bool, Int
from numpy import ndarray

from dgfas.core.config import RunConfig
from dgfas.core.manifest import MIXTURE
from dgfas.data.batches import BatchLoader
from dgfas.domains.provider import Assignment, FrameTable
from dgfas.domains.style import Style
from dgfas.methods.base import Method
from dgfas.methods.style import collect_style, image_style
from dgfas.training.configure import provider_of


class Naming:
    """Names the domains of the training frames, at the start and whenever the provider's period has passed."""

    def __init__(self, config: RunConfig, live: Bool[ndarray, " n"], given: Int[ndarray, " n"]) -> None:
        """`given (n,)` is the data set of each training frame."""
        self.provider = provider_of(config)
        self.period = self.provider.period(config.training.iterations)
        self.live = live
        self.given = None if MIXTURE in config.data.sources else given

    def check(self) -> None:
        """Raise UserError if the frames can never be named, before a run is begun."""
        self.provider.check(self.live)

    def due(self, iteration: int) -> bool:
        """Whether the domains are named before this iteration."""
        return iteration == 0 or (self.period is not None and iteration % self.period == 0)

    def name(
        self, iteration: int, method: Method, loader: BatchLoader, previous: Int[ndarray, " n"] | None
    ) -> Assignment:
        """Return the domains of all training frames for the iterations from this one on."""
        n_frames = len(self.live)

        def style() -> Style:
            assert self.provider.style_kind is not None
            return collect_style(self.provider.style_kind, method, loader.chunks(), n_frames)

        def image_features(weights: Path | None) -> Style:
            return image_style(weights, loader.chunks(), n_frames)

        frames = FrameTable(self.live, self.given, image_features)
        return self.provider.assign(iteration // (self.period or 1), frames, style, previous)
