"""A capture domain: the lights, places, cameras and attack instruments from which recordings are drawn, read from YAML.

Every range is `[least, most]`. "Cycles" count periods across the face crop, whatever its size in pixels.
"Contrast" is relative: 0.1 changes the brightness by about a tenth.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from dgfas.core.config import Strict, read_yaml, validated
from dgfas.core.errors import UserError, nearest

#: The domains that come with the package.
CAPTURE_DOMAINS: tuple[str, ...] = ("desk", "webcam", "laptop", "phone")

DOMAIN_FOLDER = Path(__file__).parent / "domains"

Species = Literal["print", "cut", "replay"]


def _ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"range {list(bounds)} begins above its end; write [least, most]")
    return bounds


def _within(least: float, most: float, bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] < least or bounds[1] > most:
        raise ValueError(f"range {list(bounds)} must lie within {least:g} to {most:g}")
    return bounds


Range = Annotated[tuple[float, float], AfterValidator(_ordered)]
Resolution = Annotated[Range, AfterValidator(partial(_within, 16, 1279))]  # a sensor has 1280 columns
Blur = Annotated[Range, AfterValidator(partial(_within, 0.05, 100))]
Cells = Annotated[Range, AfterValidator(partial(_within, 1, 1279))]
Quality = Annotated[Range, AfterValidator(partial(_within, 1, 100))]
Share = Annotated[float, Field(ge=0, le=1)]
Contrast = Annotated[float, Field(ge=0, le=1)]
White = tuple[Share, Share, Share]


class Lighting(Strict):
    """A kind of light and the places that it falls on."""

    name: str
    weight: float = Field(gt=0)  # relative frequency
    elevation_degrees: Range  # of the key light, above the eyes
    azimuth_degrees: Range  # of the key light, to the side
    either_side: bool = False  # whether the azimuth is mirrored in half of the recordings
    key: Range  # irradiance of the directional light, relative
    ambient: Range  # irradiance of the diffuse light, relative
    warmth: Range  # > 0 reddish, < 0 bluish; relative gain of red against green
    background: Range  # brightness of the place relative to the face's light
    cluttered: bool  # objects in the background, or a plain wall
    places: int = Field(ge=1)  # number of different places


class CameraModel(Strict):
    """A camera: optics, sensor, signal processing and compression, alike for live and spoof."""

    name: str
    resolution_pixels: Resolution  # sensor pixels across the face crop
    blur_pixels: Blur  # deviation of the optical blur in sensor pixels
    noise: float = Field(ge=0)  # deviation of the shot noise at full brightness
    colour_noise: float = Field(ge=0)  # deviation of the blotchy colour noise
    denoise: Share  # strength of the smoothing against noise
    sharpening: float = Field(ge=0)  # gain of the unsharp mask
    white_balance_red: float = Field(gt=0)  # gain of the red channel that remains after correction
    white_balance_blue: float = Field(gt=0)  # gain of the blue channel that remains
    contrast: float = Field(gt=0)  # gain around middle grey, display-referred
    saturation: float = Field(ge=0)  # gain of the colour differences
    jpeg_quality: Quality  # 1..100
    flicker_contrast: Contrast  # bands of mains light that roll through the frame
    flicker_cycles: Range  # bands across the crop
    column_contrast: Contrast  # fixed stripes of the sensor's columns
    mosaic_contrast: Contrast  # fixed checks that the sensor's colour filter and its interpolation leave
    mosaic_cycles: float = Field(ge=0)  # checks across the crop


class PrintModel(Strict):
    """A printer and its paper."""

    name: str
    white: White  # reflectance of the bare paper
    black: Share  # reflectance of full ink
    saturation: float = Field(ge=0)  # gain of the colour differences
    gamma: float = Field(gt=0)  # > 1 darkens the middle tones
    halftone_contrast: Contrast  # dots of the screen, strongest in the middle tones
    halftone_cycles: Range  # dots across the crop
    halftone_grey: Share  # 0 separate colour screens .. 1 one screen for all colours
    grain_contrast: Contrast  # blotches of the paper, or of a stochastic screen
    grain_cycles: Cells  # blotches across the crop
    fibre_contrast: Contrast  # streaks of the paper in one direction
    banding_contrast: Contrast  # lines that the print head leaves
    banding_cycles: Range  # lines across the crop
    crease_probability: Share  # how often the paper was folded
    crease_contrast: Contrast  # light and shadow of a fold
    gloss: Contrast  # strength of the mirror-like patches
    bend: float = Field(ge=0)  # deviation of the paper's curvature
    edge_probability: Share  # how often the paper's edge is in the crop


class DisplayModel(Strict):
    """A screen."""

    name: str
    white: tuple[float, float, float]  # colour of full white relative to the camera's
    black: Share  # glow of full black
    saturation: float = Field(ge=0)  # gain of the colour differences
    gamma: float = Field(gt=0)  # > 1 darkens the middle tones
    grid_contrast: Contrast  # lattice of screen pixels as far as the camera resolves or aliases it
    grid_cycles: Range  # screen pixels across the crop
    moire_contrast: Contrast  # fringes between screen pixels and sensor pixels
    moire_cycles: Range  # fringes across the crop
    moire_colour: Share  # of recordings whose fringes are coloured
    refresh_contrast: Contrast  # bands of the backlight that roll through the frame
    refresh_cycles: Range  # bands across the crop
    block_contrast: Contrast  # squares of the video's compression
    block_cycles: Range  # pairs of squares across the crop
    reflection: Contrast  # strength of mirrored patches
    bezel_probability: Share  # how often the screen's frame is in the crop
    video_probability: Share  # how often a moving recording is shown instead of a photo


class Tone(Strict):
    """What automatic exposure, white balance and sharpness aim at, display-referred 0..1, for live and spoof alike."""

    luma: float  # median
    half_range: float  # distance of the bright and dark ends from the median
    red: float  # mean of red minus luma
    blue: float  # mean of blue minus luma
    colour_spread: float  # deviation of the colour differences within an image
    detail: float  # mean amplitude of fine detail at 64 pixels
    luma_deviation: float = Field(ge=0)  # from recording to recording
    relative_deviation: float = Field(ge=0)  # of the other aims, from recording to recording


class Correlations(Strict):
    """How the capture of live faces differs from that of attacks in this domain: live gets +, spoof gets - each offset.

    The signs differ between domains, so that a rule learnt from them fails elsewhere. `strength` 0 switches them off.
    """

    strength: float = Field(ge=0)  # factor of all offsets; 0 switches them off
    luma: float  # of the median, 0..1
    log_contrast: float  # 0.1 is about a tenth
    log_saturation: float  # 0.1 is about a tenth
    warmth: float  # of red minus luma, and of luma minus blue
    log_blur: float  # of the deviation of the optical blur
    log_detail: float  # of the amplitude of fine detail


class Enrolment(Strict):
    """How the picture that an attack shows was got."""

    smoothing_levels: float = Field(ge=0)  # edge-preserving smoothing, in levels of 255
    recompression_probability: Share  # how often the picture was halved in size and compressed again
    recompression_quality: Quality  # JPEG 1..100


class CaptureDomain(Strict):
    """Everything that recordings of one domain are drawn from."""

    name: str = Field(pattern=r"^[A-Za-z0-9_-]+$")
    description: str
    attacks: tuple[Species, ...] = Field(min_length=1)  # taken in turn
    lightings: tuple[Lighting, ...] = Field(min_length=1)
    cameras: tuple[CameraModel, ...] = Field(min_length=1)
    prints: tuple[PrintModel, ...] = ()
    displays: tuple[DisplayModel, ...] = ()
    tone: Tone
    correlations: Correlations
    enrolment: Enrolment


def load_domain(name: str | Path) -> CaptureDomain:
    """Read a domain: one of CAPTURE_DOMAINS, or the path of a YAML file. Raises UserError for anything else."""
    if str(name) in CAPTURE_DOMAINS:
        path = DOMAIN_FOLDER / f"{name}.yaml"
    else:
        path = Path(name)
        if path.suffix not in (".yaml", ".yml"):
            hint = nearest(str(name), CAPTURE_DOMAINS)
            raise UserError(
                f"unknown simulated domain {str(name)!r}; {hint} A domain of your own is the path of a .yaml file"
            )
    domain = validated(CaptureDomain, read_yaml(path), str(path))
    for species, needed in (("print", domain.prints), ("cut", domain.prints), ("replay", domain.displays)):
        if species in domain.attacks and not needed:
            key = "displays" if species == "replay" else "prints"
            raise UserError(f"{path}: attacks names {species!r}, but {key} is empty; add one or drop the attack")
    return domain


def load_domains(names: Sequence[str | Path]) -> list[CaptureDomain]:
    """Read several domains. Raises UserError if there is none or two share a name."""
    domains = [load_domain(name) for name in names]
    if not domains:
        raise UserError("no simulated domain is named; valid: " + ", ".join(CAPTURE_DOMAINS))
    found = [domain.name for domain in domains]
    twice = sorted({name for name in found if found.count(name) > 1})
    if twice:
        raise UserError(f"simulated domain {twice[0]!r} is named twice; give every domain its own name")
    return domains
