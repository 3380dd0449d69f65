"""Photos as cameras and programs write them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dgfas.core.errors import UserError
from dgfas.faces import images
from dgfas.faces.images import read_image
from dgfas.faces.source import InMemory, TooLarge


@pytest.fixture
def scene() -> np.ndarray:
    """A small photo whose four corners differ: white, red, green and blue on black."""
    scene = np.zeros((40, 60, 3), np.uint8)
    scene[:20, :30], scene[:20, 30:], scene[20:, :30] = (255, 255, 255), (250, 0, 0), (0, 250, 0)
    scene[20:, 30:] = (0, 0, 250)
    return scene


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_ends_upright(tmp_path: Path, scene: np.ndarray, orientation: int) -> None:
    # EXIF 2.32, tag 274: what the stored rows and columns are of the upright scene
    stored = {
        1: scene,
        2: scene[:, ::-1],
        3: scene[::-1, ::-1],
        4: scene[::-1],
        5: scene.transpose(1, 0, 2),
        6: np.rot90(scene, 1),
        7: scene[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(scene, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "photo.png", exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / "photo.png"), scene)
    Image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "photo.jpg", exif=exif, quality=95, subsampling=0)
    assert np.abs(read_image(tmp_path / "photo.jpg").astype(int) - scene).mean() < 4


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_grey_becomes_rgb(tmp_path: Path, suffix: str) -> None:
    Image.fromarray(np.full((20, 30), 77, np.uint8)).save(tmp_path / f"grey.{suffix}")
    read = read_image(tmp_path / f"grey.{suffix}")
    assert read.shape == (20, 30, 3)
    assert np.abs(read.astype(int) - 77).max() <= 1


def test_sixteen_bits_keep_their_upper_eight(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 30 * 20).astype(np.uint16).reshape(20, 30)
    Image.fromarray(ramp).save(tmp_path / "deep.png")
    np.testing.assert_array_equal(read_image(tmp_path / "deep.png"), np.repeat((ramp // 256)[..., None], 3, axis=2))


def test_sixteen_bit_colour_png(tmp_path: Path, scene: np.ndarray) -> None:
    import cv2

    cv2.imwrite(str(tmp_path / "deep.png"), scene[..., ::-1].astype(np.uint16) * 257)
    np.testing.assert_array_equal(read_image(tmp_path / "deep.png"), scene)


@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_transparency_lies_over_white(tmp_path: Path, scene: np.ndarray, suffix: str) -> None:
    alpha = np.full((40, 60, 1), 255, np.uint8)
    alpha[20:] = 0
    Image.fromarray(np.concatenate([scene, alpha], axis=2)).save(tmp_path / f"a.{suffix}", lossless=True)
    read = read_image(tmp_path / f"a.{suffix}")
    np.testing.assert_array_equal(read[:20], scene[:20])
    assert (read[20:] == 255).all()


def test_a_palette_with_transparency(tmp_path: Path) -> None:
    image = Image.fromarray(np.repeat(np.arange(4, dtype=np.uint8)[None], 4, axis=0)).convert("P")
    image.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120])
    image.save(tmp_path / "p.png", transparency=3)
    assert read_image(tmp_path / "p.png")[0].tolist() == [[10, 20, 30], [40, 50, 60], [70, 80, 90], [255, 255, 255]]


def test_cmyk_jpeg(tmp_path: Path, scene: np.ndarray) -> None:
    Image.fromarray(scene).convert("CMYK").save(tmp_path / "print.jpg", quality=95)
    assert np.abs(read_image(tmp_path / "print.jpg").astype(int) - scene).mean() < 6


def test_the_content_decides_not_the_suffix(tmp_path: Path, scene: np.ndarray) -> None:
    Image.fromarray(scene).save(tmp_path / "named.jpg", format="PNG")
    np.testing.assert_array_equal(read_image(tmp_path / "named.jpg"), scene)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_large_photos_are_read_at_reduced_scale(
    tmp_path: Path, scene: np.ndarray, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = scene.repeat(20, axis=0).repeat(20, axis=1)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(large).save(tmp_path / f"large.{suffix}", exif=exif)
    monkeypatch.setattr(images, "KEPT_PIXELS", 60_000)
    read = read_image(tmp_path / f"large.{suffix}")
    assert 55_000 < read.shape[0] * read.shape[1] <= 60_000
    assert read.shape[0] / read.shape[1] == pytest.approx(1.5, abs=0.02)
    quarter = read[: read.shape[0] // 2 - 4, read.shape[1] // 2 + 4 :].reshape(-1, 3)
    assert quarter.mean(axis=0) == pytest.approx([255, 255, 255], abs=3)  # the white corner, turned clockwise


@pytest.mark.slow
def test_a_phone_photo_of_200_megapixels(tmp_path: Path) -> None:
    Image.fromarray(np.full((12_288, 16_320), 90, np.uint8)).save(tmp_path / "phone.jpg")
    read = read_image(tmp_path / "phone.jpg")
    assert 19_000_000 < read.shape[0] * read.shape[1] <= 20_000_000
    assert (read == 90).all()


def test_beyond_the_limit_is_refused(tmp_path: Path, scene: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(scene).save(tmp_path / "huge.png")
    assert read_image(tmp_path / "huge.png", 2400).shape == (40, 60, 3)
    with pytest.raises(TooLarge, match="60 x 40 pixels; at most 2,399 are read"):
        read_image(tmp_path / "huge.png", 2399)
    monkeypatch.setattr(images, "MOST_PIXELS", 2000)
    with pytest.raises(TooLarge, match="at most 2,000 are read"):
        read_image(tmp_path / "huge.png")


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_a_photo_in_memory_is_the_one_on_disk(tmp_path: Path, scene: np.ndarray, suffix: str) -> None:
    path = tmp_path / f"photo.{suffix}"
    Image.fromarray(scene).save(path)
    np.testing.assert_array_equal(read_image(InMemory(path.read_bytes(), "x")), read_image(path))
    with pytest.raises(UserError, match="the upload: not a readable image"):
        read_image(InMemory(path.read_bytes()[:60], "the upload"))
    with pytest.raises(UserError, match="the upload: the file is empty"):
        read_image(InMemory(b"", "the upload"))


@pytest.mark.parametrize("suffix", ["png", "webp"])
def test_of_an_animation_the_first_picture_is_read(tmp_path: Path, scene: np.ndarray, suffix: str) -> None:
    first, second = Image.fromarray(scene), Image.fromarray(255 - scene)
    first.save(tmp_path / f"moving.{suffix}", save_all=True, append_images=[second], lossless=True)
    np.testing.assert_array_equal(read_image(tmp_path / f"moving.{suffix}"), scene)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_truncated_photos_are_named(tmp_path: Path, suffix: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    whole = tmp_path / f"whole.{suffix}"
    Image.fromarray(noise).save(whole)
    content = whole.read_bytes()
    for share in (0.05, 0.5, 0.95):
        (tmp_path / f"cut.{suffix}").write_bytes(content[: int(len(content) * share)])
        with pytest.raises(UserError, match=rf"cut.{suffix}: not a readable image"):
            read_image(tmp_path / f"cut.{suffix}")


def test_a_png_with_one_damaged_byte_is_named(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.png")
    content = bytearray((tmp_path / "photo.png").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "photo.png").write_bytes(content)
    with pytest.raises(UserError, match=r"photo.png: not a readable image"):
        read_image(tmp_path / "photo.png")


def test_other_bad_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("no photo")
    (tmp_path / "apple.heic").write_bytes(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00")
    for name, reason in {
        "empty.jpg": "the file is empty",
        "text.jpg": "not a JPEG, PNG or WebP",
        "apple.heic": r"HEIC is not read; convert it to JPEG, e.g. `heif-convert apple.heic apple.jpg`",
        "nowhere.png": "file not found",
    }.items():
        with pytest.raises(UserError, match=reason):
            read_image(tmp_path / name)


def test_damaged_exif_data_does_not_spoil_the_photo(tmp_path: Path, scene: np.ndarray) -> None:
    Image.fromarray(scene).save(tmp_path / "photo.png", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff")
    np.testing.assert_array_equal(read_image(tmp_path / "photo.png"), scene)
