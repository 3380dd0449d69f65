"""Speed and memory, measured side by side: `python -m benchmarks [NAME ...]`."""

NAMES = (
    "frame_loading",
    "rfm_step",
    "checkpoint_activations",
    "simulation",
    "preparation",
    "method_cost",
    "reclustering",
    "classical_features",
    "bootstrap",
    "inference",
    "end_to_end",
)
LONG = ("demo",)  # only when named, or with --all
