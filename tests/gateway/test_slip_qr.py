"""The QR of a slip can be read: half the size of a small screen, and printed, held askew, badly lit.

The page's own SVG is drawn by resvg and read by zxing-cpp; neither knows anything of ours. Sizes are those of the
page's style. A browser draws the whole page in tests/pages.
"""

import io
import random
import re
from datetime import UTC, datetime

import pytest
import resvg_py
import zxingcpp
from PIL import Image, ImageChops, ImageFilter

from gateway import slip
from gateway.domain import codes
from gateway.domain.ids import ParcelNumber
from gateway.domain.parcels import Parcel
from gateway.keys import Keys
from gateway.limits import TENANT_SIZE_MAX
from protocol.limits import COMPARTMENTS_MAX
from protocol.topics import LOCKER_ID_MAX

KEYS = Keys.from_secrets(bytes(range(32)), bytes(range(32, 64)))
U32_MAX = 2**32 - 1
REM_PX = 16
SCREEN_PX = 320
DOTS_PER_MM = 300 / 25.4
SAMPLING = {"nearest": Image.Resampling.NEAREST, "bilinear": Image.Resampling.BILINEAR} | {
    "lanczos": Image.Resampling.LANCZOS
}


def token_of(locker: str, deadline_s: int = 1_800_000_000, compartment: int = 1, deposit: int = 1) -> str:
    """As the gateway makes it for a parcel of the longest carrier."""
    parcel = Parcel(
        number=ParcelNumber(1),
        label="6A12345678901",
        locker=locker,
        size="M",
        carrier="c" * TENANT_SIZE_MAX,
        merchant="",
        accessible=False,
        heavy=False,
        state="deposited",
        expected_s=1,
        compartment=compartment,
        deposit=deposit,
        deadline_s=deadline_s,
    )
    return codes.pickup_token(parcel, b"\xff" * 8, KEYS.kid, KEYS.sign)


TOKENS = {
    "ordinary": token_of("mairie-1"),
    "longest": token_of("l" * LOCKER_ID_MAX, 2**63 - 1, COMPARTMENTS_MAX, U32_MAX),
}


def svg_of(token: str) -> str:
    """As it stands in the page; a drawing by itself has to name its language."""
    made = slip.Slip("Mairie", 1, "123456789012", token, datetime(2026, 12, 2, tzinfo=UTC))
    (svg,) = re.findall(r"<svg .*?</svg>", slip.page(made, "fr"), re.DOTALL)
    return svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)


def version_of(token: str) -> int:
    """1 has 21 modules a side, each next one four more; the quiet zone is four on both sides."""
    (size,) = re.findall(r'viewBox="0 0 (\d+) \1"', svg_of(token))
    return (int(size) - 8 - 17) // 4


def side_of(unit: str) -> float:
    """The QR's side as the page's style has it, in rem on a screen and in mm on paper."""
    (size,) = re.findall(rf"--qr: ([\d.]+){unit}", slip.STYLE)
    return float(size)


def drawn(token: str, side_px: int) -> Image.Image:
    png = resvg_py.svg_to_bytes(svg_string=svg_of(token), width=side_px, background="#fff")
    return Image.open(io.BytesIO(png)).convert("L")


def on_white(picture: Image.Image, width: int, height: int) -> Image.Image:
    sheet = Image.new("L", (width, height), 255)
    sheet.paste(picture, ((width - picture.width) // 2, (height - picture.height) // 2))
    return sheet


def read(picture: Image.Image) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode)]


# ------------------------------------------------------------------ how large it is
def test_a_pickup_token_is_version_9_at_the_most_at_level_m() -> None:
    assert version_of(TOKENS["ordinary"]) == 8
    assert version_of(TOKENS["longest"]) == 9
    (found,) = zxingcpp.read_barcodes(drawn(TOKENS["longest"], 650), formats=zxingcpp.BarcodeFormat.QRCode)
    assert (found.text, found.ec_level, found.format) == (TOKENS["longest"], "M", zxingcpp.BarcodeFormat.QRCode)


# ------------------------------------------------------------------ from a screen
@pytest.mark.parametrize("sampling", SAMPLING)
@pytest.mark.parametrize("which", TOKENS)
def test_the_qr_drawn_as_on_a_screen_of_320_px_is_read_at_half_its_size(which: str, sampling: str) -> None:
    side = round(side_of("rem") * REM_PX)
    assert side <= SCREEN_PX - 2 * REM_PX, "it stands between the margins"
    shot = on_white(drawn(TOKENS[which], side), SCREEN_PX, 2 * SCREEN_PX)
    half = shot.resize((shot.width // 2, shot.height // 2), SAMPLING[sampling])
    assert read(half) == [TOKENS[which]]


def test_such_a_picture_sent_on_as_a_jpeg_is_read() -> None:
    shot = on_white(drawn(TOKENS["ordinary"], round(side_of("rem") * REM_PX)), SCREEN_PX, 2 * SCREEN_PX)
    sent = io.BytesIO()
    shot.resize((shot.width // 2, shot.height // 2), Image.Resampling.BILINEAR).save(sent, "JPEG", quality=60)
    assert read(Image.open(sent).convert("L")) == [TOKENS["ordinary"]]


# ------------------------------------------------------------------ from paper
def printed(token: str) -> Image.Image:
    """The QR and the paper around it at 300 dpi, black or white and nothing between; ink runs half a dot."""
    black = drawn(token, round(side_of("mm") * DOTS_PER_MM)).point(lambda grey: 255 if grey > 127 else 0)
    sheet = on_white(black, round(1.5 * black.width), round(1.5 * black.width))
    return sheet.filter(ImageFilter.BoxBlur(1)).point(lambda grey: 255 if grey > 150 else 0)


def seen_by_a_camera(sheet: Image.Image, chance: random.Random) -> Image.Image:
    """Askew, five to eight dots in ten, out of focus, grey on grey, with grain."""
    turned = sheet.rotate(chance.uniform(-12, 12), Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    scale = chance.uniform(0.5, 0.8)
    size = (round(turned.width * scale), round(turned.height * scale))
    small = turned.resize(size, Image.Resampling.BILINEAR).filter(ImageFilter.GaussianBlur(chance.uniform(0.5, 1.3)))
    ink, paper = chance.randint(30, 80), chance.randint(150, 230)
    dull = small.point(lambda grey: ink + grey * (paper - ink) // 255)
    grain = Image.frombytes("L", size, chance.randbytes(size[0] * size[1])).point(lambda grey: grey * 40 // 255)
    return ImageChops.add(dull, grain, offset=-20)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("which", TOKENS)
def test_the_qr_drawn_as_printed_at_300_dpi_is_read_by_a_camera(which: str, seed: int) -> None:
    assert read(seen_by_a_camera(printed(TOKENS[which]), random.Random(seed))) == [TOKENS[which]]


def test_a_folded_and_stained_slip_is_read() -> None:
    """Level M mends 15 % of the code words: a fold across it and a drop of coffee."""
    sheet = printed(TOKENS["ordinary"])
    middle = (sheet.width // 2, sheet.height // 2)
    sheet.paste(255, (0, middle[1], sheet.width, middle[1] + round(0.8 * DOTS_PER_MM)))
    drop = round(5 * DOTS_PER_MM)
    sheet.paste(0, (middle[0] + drop, middle[1] + drop, middle[0] + 2 * drop, middle[1] + 2 * drop))
    assert read(seen_by_a_camera(sheet, random.Random(1))) == [TOKENS["ordinary"]]
