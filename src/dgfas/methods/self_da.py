"""Self-DA: self-domain adaptation for face anti-spoofing (Wang et al., AAAI 2021), as a baseline.

A small adaptor between encoder and heads is meta-trained so that one step on unlabelled frames of a domain, towards
decided predictions, serves that domain. Before scoring a target it takes that step on the target's images: the method
uses target images, and every table marks it.

PDL-FAS quotes it without describing it; docs/methods/self_da.md says what was decided here.
"""

from collections.abc import Iterable, Mapping

import torch
from pydantic import NonNegativeFloat
from torch import Tensor

from dgfas.core.collapse import CollapseWatch
from dgfas.data.batches import Batch
from dgfas.losses.classification import binary_cross_entropy
from dgfas.losses.depth import depth_error
from dgfas.losses.entropy import domain_enhancement_entropy
from dgfas.losses.orthogonality import orthogonality
from dgfas.methods.base import Method, MethodOptions, Setup
from dgfas.networks.adapt import Order, adapt, forward_with
from dgfas.networks.adaptor import ResidualAdaptor
from dgfas.networks.encoder import Encoder, Features
from dgfas.networks.heads import DepthEstimator, MetaLearner


class SelfDAOptions(MethodOptions):
    """`inner_step_size` is the adaptor's step, in training and on a target."""

    inner_step_size: NonNegativeFloat
    depth_weight: float
    orthogonality_weight: float
    order: Order


class SelfDA(Method):
    """Meta-train an adaptor on the sources; let it adapt to a target without labels."""

    Options = SelfDAOptions
    least_domains = 2
    uses_target_images = True

    def __init__(self, options: SelfDAOptions, setup: Setup) -> None:
        super().__init__(options, setup)
        self.options = options
        width = setup.network.width
        self.encoder = Encoder(setup.network)
        self.adaptor = ResidualAdaptor(self.encoder.concat_channels)
        self.classifier = MetaLearner(self.encoder.last_channels, width)
        self.depth = DepthEstimator(self.encoder.concat_channels, width)
        self.optimiser = self.adam(
            "all", [self.encoder, self.adaptor, self.classifier, self.depth], options.learning_rate
        )
        #: The adaptor's parameters for the target at hand, none outside of scoring one; not part of the state.
        self.adapted: dict[str, Tensor] = {}
        self.register_load_state_dict_post_hook(lambda *_: self.adapted.clear())
        self.watch = CollapseWatch()

    def update(self, batch: Batch) -> dict[str, float]:
        self.adapted.clear()
        meta_train, meta_test, undecided = self.losses(batch)
        orthogonal = orthogonality(self.adaptor.convolution.weight)
        self.minimise(meta_train + meta_test + self.options.orthogonality_weight * orthogonal, self.optimiser)
        return {
            "meta_train_loss": meta_train.item(),
            "meta_test_loss": meta_test.item(),
            "unsupervised_loss": undecided.item(),
            "orthogonality": orthogonal.item(),
        }

    def losses(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Return the supervised loss on all sources but one, that on the one after a step without its labels, and the
        loss of that step."""
        domains = list(zip(self.encode(self.encoder, batch), batch.by_domain(), strict=True))
        order = self.shared_rng("meta split").permutation(len(domains))
        *meta_train_domains, (features, held_out) = [domains[k] for k in order]
        meta_train = torch.stack([self.supervised(x, part, {}) for x, part in meta_train_domains]).mean()
        undecided = self.unsupervised(features)
        adapted = adapt(self.adaptor, undecided, self.options.inner_step_size, self.options.order)
        return meta_train, self.supervised(features, held_out, adapted), undecided

    def supervised(self, features: Features, batch: Batch, adapted: Mapping[str, Tensor]) -> Tensor:
        """Return classification and depth loss behind the adaptor, or behind an adapted one."""
        features = forward_with(self.adaptor, adapted, features)
        classification = binary_cross_entropy(self.classifier(features.last), batch.live)
        depth = depth_error(self.depth(features.concat), batch.depth, batch.depth_known)
        return classification + self.options.depth_weight * depth

    def unsupervised(self, features: Features) -> Tensor:
        """Return the entropy of the predictions and the adaptor's distance from orthogonality."""
        entropy = -domain_enhancement_entropy(self.classifier(self.adaptor(features).last))
        return entropy + self.options.orthogonality_weight * orthogonality(self.adaptor.convolution.weight)

    def adapt_to(self, chunks: Iterable[Tensor]) -> None:
        """Adapt to a target's images `(b, 6, S, S)`, given in chunks: one step on the loss of all of them.

        Starts from the meta-trained adaptor each time; no chunks leave it at that. The step is averaged over the
        chunks, so the result does not depend on their order (data sets list live before spoof frames); the warning of
        one class counts each chunk behind its own step.
        """
        was_training = self.training
        self.eval()
        self.adapted.clear()
        total: dict[str, Tensor] = {}
        frames = live_before = live_after = 0
        with torch.inference_mode(False), torch.enable_grad():
            for images in chunks:
                with torch.no_grad():
                    features = self.encoder(images.clone())
                stepped = adapt(self.adaptor, self.unsupervised(features), self.options.inner_step_size, "first")
                for name, value in stepped.items():
                    total[name] = total.get(name, 0) + len(images) * value.detach()
                with torch.no_grad():
                    live_before += self.count_live(features, {})
                    live_after += self.count_live(features, stepped)
                frames += len(images)
        self.adapted.update({name: value / frames for name, value in total.items()})
        self.train(was_training)
        self.watch.report(
            "one class",
            frames > 1 and one_sided(live_after / frames) and not one_sided(live_before / frames),
            f"self_da: adapting put the target into one class ({live_before} of {frames} frames were called live "
            f"before, {live_after} after); lower options.inner_step_size",
        )

    def count_live(self, features: Features, adapted: Mapping[str, Tensor]) -> int:
        return int((self.classifier(forward_with(self.adaptor, adapted, features).last) > 0).sum())

    def score(self, images: Tensor) -> Tensor:
        features = forward_with(self.adaptor, self.adapted, self.encoder(images))
        return torch.sigmoid(self.classifier(features.last))


def one_sided(live_share: float) -> bool:
    """Return whether almost all frames are of one class."""
    return not 0.01 <= live_share <= 0.99
