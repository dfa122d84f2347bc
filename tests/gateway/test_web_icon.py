"""The icon that an iPhone puts on its home screen: a PNG, since it takes no SVG, drawn from the one that all see."""

import io
from pathlib import Path

import httpx
import resvg_py
from http_town import town
from patience import WAIT_S
from PIL import Image, ImageChops

from gateway.web.assets import ASSETS, FOLDER, address

NAME, SIDE_PX, BYTES_MAX = "apple-touch-icon.png", 180, 4_000
# iOS rounds the corners by itself, and shows what is transparent as black.
BEHIND = "#1f4f4a"


def drawn() -> bytes:
    """To draw it anew: write these bytes to gateway/web/assets/apple-touch-icon.png."""
    svg = Path(FOLDER, "icon.svg").read_text("utf-8").replace('viewBox="0 0 32 32"', 'viewBox="1 1 30 30"')
    picture = Image.open(io.BytesIO(resvg_py.svg_to_bytes(svg_string=svg, width=SIDE_PX, background=BEHIND)))
    small = io.BytesIO()
    picture.convert("RGB").quantize(32, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return small.getvalue()


def test_the_icon_is_the_drawing_that_every_page_shows() -> None:
    kept = ASSETS[NAME].content
    assert len(kept) <= BYTES_MAX
    here, there = (Image.open(io.BytesIO(one)).convert("RGB") for one in (kept, drawn()))
    assert here.size == there.size == (SIDE_PX, SIDE_PX)
    most = max(high for _, high in ImageChops.difference(here, there).getextrema())
    assert most <= 40, "icon.svg has changed: draw the PNG anew"


def test_an_iphone_is_told_of_it_and_keeps_it_until_it_changes(tmp_path: Path) -> None:
    with town(tmp_path) as here, httpx.Client(base_url=here.url, timeout=WAIT_S, trust_env=False) as phone:
        assert f'<link rel="apple-touch-icon" href="{address(NAME)}">' in phone.get("/").text
        got = phone.get(address(NAME))
        assert got.content == ASSETS[NAME].content and got.headers["content-type"] == "image/png"
        assert got.headers["cache-control"] == "public, max-age=31536000, immutable"
        plain = phone.get(f"/assets/{NAME}")
        assert plain.headers["cache-control"] == "no-cache", "without its version it may be an old one"
        again = phone.get(f"/assets/{NAME}", headers={"If-None-Match": plain.headers["etag"]})
        assert again.status_code == 304
