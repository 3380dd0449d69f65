"""A recording: frames of one subject by one camera in one place, that differ as consecutive frames do."""

import numpy as np
import pytest

from dgfas.simulation.capture_domains import CAPTURE_DOMAINS, CaptureDomain, load_domain
from dgfas.simulation.recordings import Frame, record, subject_identity

FACTORS_OF_A_RECORDING = (
    "factor_camera",
    "factor_lighting",
    "factor_place",
    "factor_instrument",
    "factor_light_azimuth_degrees",
    "factor_sensor_pixels",
    "factor_noise",
)


@pytest.fixture(scope="module")
def desk() -> CaptureDomain:
    return load_domain("desk")


def frames_of(domain: CaptureDomain, species: str, frames: int = 8, subject: int = 0) -> list[Frame]:
    return list(record(domain, subject, species, 0, frames, 64, seed=100))


@pytest.mark.parametrize("species", ["live", "print", "cut", "replay"])
def test_frames_share_their_circumstances_and_differ_a_little(desk: CaptureDomain, species: str) -> None:
    frames = frames_of(desk, species)
    assert len(frames) == 8
    for name in FACTORS_OF_A_RECORDING:
        assert len({frame.factors[name] for frame in frames}) == 1, name
    images = np.stack([frame.image for frame in frames]).astype(float)
    steps = np.abs(np.diff(images, axis=0)).mean(axis=(1, 2, 3))
    other = frames_of(desk, species, 1, subject=1)[0].image.astype(float)
    assert (steps > 0.3).all()  # no two frames are the same
    assert steps.max() < np.abs(images[0] - other).mean()  # nor as different as two recordings


def test_only_live_frames_have_depth(desk: CaptureDomain) -> None:
    assert all(frame.depth is not None and frame.depth.max() > 200 for frame in frames_of(desk, "live", 2))
    assert all(frame.depth is None for frame in frames_of(desk, "replay", 2))


def test_head_of_a_live_face_moves_and_a_print_does_not(desk: CaptureDomain) -> None:
    live = {frame.factors["factor_yaw_degrees"] for frame in frames_of(desk, "live")}
    paper = {frame.factors["factor_yaw_degrees"] for frame in frames_of(desk, "print")}
    assert len(live) == 8
    assert len(paper) == 1


def test_someone_blinks(desk: CaptureDomain) -> None:
    lids = [
        max(float(frame.factors["factor_eyelid"]) for frame in frames_of(desk, "live", subject=subject))
        for subject in range(8)
    ]
    assert max(lids) == 1.0
    assert min(lids) < 0.5


def test_longer_recordings_begin_alike(desk: CaptureDomain) -> None:
    """Circumstances do not depend on how many frames are asked for."""
    short, long = frames_of(desk, "print", 2), frames_of(desk, "print", 4)
    for name in FACTORS_OF_A_RECORDING:
        assert short[0].factors[name] == long[0].factors[name]


def test_identities_belong_to_one_domain_and_seed() -> None:
    skins = {tuple(subject_identity(load_domain(name), 0, seed).skin) for name in CAPTURE_DOMAINS for seed in (0, 1)}
    assert len(skins) == 2 * len(CAPTURE_DOMAINS)


@pytest.mark.parametrize("image_size", [32, 256])
def test_any_image_size(desk: CaptureDomain, image_size: int) -> None:
    (frame,) = record(desk, 0, "live", 0, 1, image_size, seed=100)
    assert frame.image.shape == (image_size, image_size, 3)
    assert frame.image.dtype == np.uint8
    assert frame.image.std() > 10


@pytest.mark.parametrize("species", ["print", "cut", "replay"])
def test_the_hand_shakes(desk: CaptureDomain, species: str) -> None:
    """Without noise and flicker only the shaking hand is left to tell frames of a still attack apart."""
    quiet = {"noise": 0.0, "colour_noise": 0.0, "flicker_contrast": 0.0}
    still = {"video_probability": 0.0, "refresh_contrast": 0.0, "moire_contrast": 0.0}
    domain = desk.model_copy(
        update={
            "cameras": tuple(camera.model_copy(update=quiet) for camera in desk.cameras),
            "displays": tuple(display.model_copy(update=still) for display in desk.displays),
        }
    )
    images = np.stack([frame.image for frame in frames_of(domain, species, 3)]).astype(float)
    away_from_eyes = images[:, 40:]
    assert (np.abs(np.diff(away_from_eyes, axis=0)).mean(axis=(1, 2, 3)) > 0.3).all()
