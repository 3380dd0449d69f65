"""From linear radiance to the pixels of a file: exposure, optics, sensor, signal processing, JPEG."""

from dataclasses import dataclass

import cv2
import numpy as np

from dgfas.core.seeding import stable_rng
from dgfas.simulation.capture_domains import CameraModel, CaptureDomain, Correlations
from dgfas.simulation.fields import LUMA, Field, plane, resized, smooth_noise, uniform

GAMMA = 2.2
DETAIL_SIDE = 64  # pixels at which fine detail is measured
DETAIL_GAIN = (0.45, 1.9)  # how far the automatic sharpness reaches
SENSOR_COLUMNS = 1280
TONE_GAIN = (0.25, 4.0)  # how far automatic levels and white balance reach
TONE_SIDE = 16  # pixels at which tone is measured


@dataclass(frozen=True)
class ToneTarget:
    """What the automatic controls of one recording aim at, display-referred 0..1."""

    luma: float
    above: float  # distance of the bright end from the median
    below: float  # distance of the dark end
    red: float  # mean of red minus luma
    blue: float
    red_spread: float
    blue_spread: float
    detail: float


@dataclass(frozen=True)
class Capture:
    """A camera as one recording uses it: the frames share all of this."""

    camera: CameraModel
    resolution: int  # sensor pixels across the crop
    blur_pixels: float
    white_balance: Field  # (3,)
    exposure: float  # linear level of the middle of the crop
    flare: float  # stray light relative to the mean
    noise: float
    jpeg_quality: int
    flicker_cycles: float
    flicker_phase: float
    flicker_step: float  # change of phase from frame to frame
    pattern: Field  # (resolution, resolution) fixed gain of the sensor
    tone: ToneTarget


def draw_capture(domain: CaptureDomain, camera: CameraModel, live: bool, rng: np.random.Generator) -> Capture:
    """Draw how `camera` is set in one recording of a live face or an attack."""
    resolution = int(uniform(rng, camera.resolution_pixels))
    side = (1 if live else -1) * domain.correlations.strength
    return Capture(
        camera=camera,
        resolution=resolution,
        blur_pixels=uniform(rng, camera.blur_pixels) * float(np.exp(side * domain.correlations.log_blur)),
        white_balance=np.array(
            [
                camera.white_balance_red * np.exp(rng.normal(0, 0.02)),
                1,
                camera.white_balance_blue * np.exp(rng.normal(0, 0.02)),
            ],
            np.float32,
        ),
        exposure=float(rng.uniform(0.15, 0.21)),
        flare=float(rng.uniform(0, 1) ** 1.5 * 0.15),
        noise=camera.noise * float(rng.uniform(0.7, 1.4)),
        jpeg_quality=int(uniform(rng, camera.jpeg_quality)),
        flicker_cycles=uniform(rng, camera.flicker_cycles),
        flicker_phase=float(rng.uniform(0, 2 * np.pi)),
        flicker_step=float(rng.uniform(0.3, 2.5)),
        pattern=_sensor_pattern(domain.name, camera, resolution, rng),
        tone=_draw_tone(domain, side, domain.correlations, rng),
    )


def _draw_tone(domain: CaptureDomain, side: float, offset: Correlations, rng: np.random.Generator) -> ToneTarget:
    tone, spread = domain.tone, domain.tone.relative_deviation

    def varied(value: float, log_offset: float = 0.0) -> float:
        return value * float(np.exp(rng.normal(0, spread) + side * log_offset))

    skew = float(np.exp(rng.normal(0, spread)))
    return ToneTarget(
        luma=tone.luma + float(rng.normal(0, tone.luma_deviation)) + side * offset.luma,
        above=varied(tone.half_range, offset.log_contrast) * skew,
        below=varied(tone.half_range, offset.log_contrast) / skew,
        red=varied(tone.red) + float(rng.normal(0, 0.012)) + side * offset.warmth,
        blue=varied(tone.blue) + float(rng.normal(0, 0.012)) - side * offset.warmth,
        red_spread=varied(tone.colour_spread, offset.log_saturation),
        blue_spread=varied(tone.colour_spread, offset.log_saturation),
        detail=varied(tone.detail, offset.log_detail),
    )


def _sensor_pattern(domain: str, camera: CameraModel, resolution: int, rng: np.random.Generator) -> Field:
    """Return the fixed gain of the part of a sensor on which the face falls; `rng` chooses that part."""
    sensor = stable_rng("sensor pattern", domain, camera.name).standard_normal((1, SENSOR_COLUMNS), dtype=np.float32)
    left = int(rng.integers(SENSOR_COLUMNS - resolution))
    stripes = np.repeat(sensor[:, left : left + resolution], resolution, axis=0)
    x, y = plane(resolution, 1.0)
    mosaic = np.cos(np.pi * camera.mosaic_cycles * x) * np.cos(np.pi * camera.mosaic_cycles * y)
    return 1 + camera.column_contrast * stripes + camera.mosaic_contrast * mosaic


def photograph(radiance: Field, capture: Capture, frame: int, image_size: int, rng: np.random.Generator) -> np.ndarray:
    """Photograph linear radiance (n, n, 3) as frame number `frame` of a recording.

    Returns uint8 RGB (image_size, image_size, 3). `rng` gives the sensor noise of this frame.
    """
    linear = _expose(radiance, capture)
    linear = cv2.GaussianBlur(resized(linear, capture.resolution), (0, 0), capture.blur_pixels)
    linear = _match_tone(linear, capture.tone)
    linear = _sense(linear, capture, frame, rng)
    shown = _match_detail(_process(linear, capture.camera), capture.tone.detail)
    levels = (np.clip(shown, 0, 1) * 255 + 0.5).astype(np.uint8)
    return resized(jpeg_roundtrip(levels, capture.jpeg_quality), image_size)


def jpeg_roundtrip(levels: np.ndarray, quality: int) -> np.ndarray:
    """Compress and decompress an RGB image (n, n, 3) of uint8."""
    _, code = cv2.imencode(".jpg", levels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR))
    return np.ascontiguousarray(decoded[..., ::-1])


def _expose(radiance: Field, capture: Capture) -> Field:
    """Auto exposure on the middle, partial automatic white balance, stray light."""
    quarter = radiance.shape[0] // 4
    level = float(radiance[quarter:-quarter, quarter:-quarter].mean()) + 1e-4
    channel_means = radiance.reshape(-1, 3).mean(0) + 1e-4
    balance = (channel_means[1] / channel_means) ** 0.35
    gain = (capture.exposure / level * balance * capture.white_balance).astype(np.float32)
    return (radiance + capture.flare * float(radiance.mean())) * gain


def _match_tone(linear: Field, target: ToneTarget) -> Field:
    """Bring median, range and colour of the coarse image to the target: automatic levels and white balance.

    One rule for live and spoof, so that tone curves of paper and screen leave no trace in brightness or colour.
    """
    shown = np.clip(linear, 1e-5, 4) ** (1 / GAMMA)
    luma = shown @ LUMA
    red, blue = shown[..., 0] - luma, shown[..., 2] - luma

    def coarse(channel: Field) -> Field:
        small = cv2.resize(channel, (TONE_SIDE, TONE_SIDE), interpolation=cv2.INTER_AREA)
        return cv2.GaussianBlur(small, (0, 0), 1.0)[1:-1, 1:-1]

    dark, median, bright = (float(level) for level in np.percentile(coarse(luma), (6, 50, 94)))
    gain_above = _limited(target.above / (bright - median + 1e-3))
    gain_below = _limited(target.below / (median - dark + 1e-3))
    distance = luma - median
    luma = target.luma + distance * np.where(distance > 0, np.float32(gain_above), np.float32(gain_below))

    def balanced(difference: Field, mean: float, spread: float) -> Field:
        seen = coarse(difference)
        gain = _limited(spread / (float(seen.std()) + 1e-4))
        return (difference - float(seen.mean())) * gain + mean

    red = luma + balanced(red, target.red, target.red_spread)
    blue = luma + balanced(blue, target.blue, target.blue_spread)
    green = (luma - LUMA[0] * red - LUMA[2] * blue) / LUMA[1]
    return np.clip(cv2.merge([red, green, blue]), 0.005, 1.3) ** GAMMA


def _limited(gain: float) -> float:
    """Keep an automatic control within its reach."""
    return min(max(gain, TONE_GAIN[0]), TONE_GAIN[1])


def _sense(linear: Field, capture: Capture, frame: int, rng: np.random.Generator) -> Field:
    """Rolling bands of mains light, fixed pattern, shot, read and colour noise."""
    camera, side = capture.camera, capture.resolution
    gain = capture.pattern
    if camera.flicker_contrast:
        _, y = plane(side, 1.0)
        phase = capture.flicker_phase + frame * capture.flicker_step
        gain = gain * (1 + camera.flicker_contrast * np.cos(np.pi * capture.flicker_cycles * y + phase))
    sensed = linear * gain[..., None]
    grain = rng.standard_normal(sensed.shape, dtype=np.float32)
    sensed += grain * np.sqrt(capture.noise**2 * np.clip(sensed, 0, 1) + (capture.noise * 0.25) ** 2)
    if camera.colour_noise:
        blotch = camera.colour_noise * smooth_noise(rng, side, 24)
        sensed[..., 0] *= 1 + blotch
        sensed[..., 2] *= 1 - blotch
    return sensed


def _process(linear: Field, camera: CameraModel) -> Field:
    """Denoise, compress highlights, apply gamma, contrast, saturation and sharpening; display-referred."""
    if camera.denoise:
        linear = linear + camera.denoise * (cv2.GaussianBlur(linear, (0, 0), 0.8) - linear)
    linear = np.clip(linear, 1e-5, None)
    linear = np.where(linear > 0.8, 0.8 + 0.2 * (1 - np.exp(-(linear - 0.8) / 0.2)), linear)
    shown = 0.5 + (linear ** (1 / GAMMA) - 0.5) * camera.contrast
    grey = (shown @ LUMA)[..., None]
    shown = grey + (shown - grey) * camera.saturation
    return shown + camera.sharpening * (shown - cv2.GaussianBlur(shown, (0, 0), 1.1))


def _match_detail(shown: Field, target: float) -> Field:
    """Scale fine detail so that its mean amplitude at DETAIL_SIDE pixels is `target`: automatic sharpness."""
    fine = resized(shown @ LUMA, DETAIL_SIDE)
    amplitude = float(np.abs(fine - cv2.GaussianBlur(fine, (0, 0), 1.0)).mean()) + 1e-5
    gain = min(max(target / amplitude, DETAIL_GAIN[0]), DETAIL_GAIN[1])
    coarse = cv2.GaussianBlur(shown, (0, 0), shown.shape[0] / DETAIL_SIDE)
    return coarse + gain * (shown - coarse)
