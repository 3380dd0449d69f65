"""Who a simulated person is: the numbers that stay when pose, light and camera change."""

from dataclasses import dataclass

import numpy as np

# Reflectance in linear RGB, from light to dark skin.
SKIN_TONES = np.array([[0.62, 0.40, 0.30], [0.42, 0.24, 0.15], [0.12, 0.065, 0.042]])
# Black, dark brown, brown, fair, grey hair; and how often each occurs.
HAIR_COLOURS = np.array(
    [[0.02, 0.016, 0.013], [0.05, 0.03, 0.02], [0.12, 0.07, 0.035], [0.30, 0.20, 0.09], [0.25, 0.24, 0.23]]
)
HAIR_SHARES = (0.42, 0.28, 0.15, 0.08, 0.07)
# Brown, hazel, blue, green irises.
IRIS_COLOURS = np.array([[0.05, 0.03, 0.015], [0.10, 0.06, 0.03], [0.10, 0.16, 0.22], [0.09, 0.13, 0.07]])
IRIS_SHARES = (0.5, 0.25, 0.15, 0.10)


@dataclass(frozen=True)
class Identity:
    """A person. Lengths in units of half the crop, colours in linear RGB, opacities 0..1."""

    melanin: float  # 0 light .. 1 dark
    skin: np.ndarray  # (3,)
    hair: np.ndarray  # (3,)
    iris: np.ndarray  # (3,)
    clothes: np.ndarray  # (3,)
    head_width: float  # half of the width
    head_height: float  # half of the height
    head_depth: float
    head_squareness: float  # exponent of the outline: 2 is an ellipse
    jaw_narrowing: float
    chin: float
    cheeks: float
    nose_length: float
    nose_width: float
    nose_height: float
    eye_distance: float  # from the middle of the face
    eye_y: float
    eye_width: float
    eye_opening: float
    socket_depth: float
    brow_ridge: float
    brow_thickness: float
    brow_distance: float
    brow_slope: float
    mouth_width: float
    mouth_y: float
    lip_thickness: float
    lip_height: float
    lip_redness: float
    hair_line: float  # y of the fringe at the middle
    hair_line_curve: float
    hair_length: float  # y where the side hair ends
    hair_volume: float  # width of the hair in head widths
    ear_size: float  # 0 where the hair covers them
    beard: float
    moustache: float
    glasses: bool
    freckles: float
    shine: float  # specular strength of the skin
    gloss_exponent: float  # sharpness of the specular lobe
    texture_seed: int


def draw_identity(rng: np.random.Generator) -> Identity:
    """Draw a person from `rng`."""
    melanin = float(rng.beta(1.3, 1.6))
    tone = [np.interp(melanin, (0, 0.5, 1), SKIN_TONES[:, channel]) for channel in range(3)]
    skin = np.array(tone) * (1 + 0.05 * rng.standard_normal(3)) * rng.uniform(0.88, 1.1)
    hair = HAIR_COLOURS[rng.choice(len(HAIR_COLOURS), p=HAIR_SHARES)] * rng.uniform(0.8, 1.3)
    hair_length = float(rng.uniform(-0.1, 0.95))
    return Identity(
        melanin=melanin,
        skin=skin.astype(np.float32),
        hair=hair.astype(np.float32),
        iris=IRIS_COLOURS[rng.choice(len(IRIS_COLOURS), p=IRIS_SHARES)].astype(np.float32),
        clothes=rng.uniform(0.03, 0.6, 3).astype(np.float32),
        head_width=float(rng.uniform(0.60, 0.69)),
        head_height=float(rng.uniform(0.86, 0.96)),
        head_depth=float(rng.uniform(0.52, 0.68)),
        head_squareness=float(rng.uniform(2.1, 2.6)),
        jaw_narrowing=float(rng.uniform(0.10, 0.30)),
        chin=float(rng.uniform(0.03, 0.08)),
        cheeks=float(rng.uniform(0.01, 0.06)),
        nose_length=float(rng.uniform(0.14, 0.23)),
        nose_width=float(rng.uniform(0.09, 0.14)),
        nose_height=float(rng.uniform(0.13, 0.21)),
        eye_distance=float(rng.uniform(0.25, 0.30)),
        eye_y=float(rng.uniform(-0.19, -0.12)),
        eye_width=float(rng.uniform(0.095, 0.125)),
        eye_opening=float(rng.uniform(0.036, 0.056)),
        socket_depth=float(rng.uniform(0.05, 0.10)),
        brow_ridge=float(rng.uniform(0.02, 0.05)),
        brow_thickness=float(rng.uniform(0.018, 0.036)),
        brow_distance=float(rng.uniform(0.10, 0.14)),
        brow_slope=float(rng.uniform(-0.16, 0.12)),
        mouth_width=float(rng.uniform(0.18, 0.26)),
        mouth_y=float(rng.uniform(0.41, 0.48)),
        lip_thickness=float(rng.uniform(0.030, 0.055)),
        lip_height=float(rng.uniform(0.02, 0.05)),
        lip_redness=float(rng.uniform(0.35, 0.85)),
        hair_line=float(rng.uniform(-0.76, -0.54)),
        hair_line_curve=float(rng.uniform(0.15, 0.5)),
        hair_length=hair_length,
        hair_volume=float(rng.uniform(1.04, 1.2)),
        ear_size=float(rng.uniform(0.10, 0.14)) if hair_length < 0.15 else 0.0,
        beard=float(rng.uniform(0.25, 0.75)) if rng.random() < 0.2 else 0.0,
        moustache=float(rng.uniform(0.2, 0.7)) if rng.random() < 0.18 else 0.0,
        glasses=bool(rng.random() < 0.15),
        freckles=float(rng.uniform(0.0, 0.06)),
        shine=float(rng.uniform(0.03, 0.11)),
        gloss_exponent=float(rng.uniform(10, 28)),
        texture_seed=int(rng.integers(2**31)),
    )
