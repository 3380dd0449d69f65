"""What recomputing activations saves."""

import subprocess
import sys
from pathlib import Path

import pytest


def peak_megabytes(activations: str) -> float:
    """Return by how much one RFM update at 192 px raises the memory of a fresh process."""
    script = Path(__file__).with_name("one_update_memory.py")
    command = [sys.executable, str(script), "192", "0.5", "per_domain", activations, "1"]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[0])


@pytest.mark.slow
def test_checkpointing_needs_at_most_three_fifths_of_the_memory() -> None:
    assert peak_megabytes("saving") <= 0.6 * peak_megabytes("plain")
