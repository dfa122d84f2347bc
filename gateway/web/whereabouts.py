"""Where a door is, in words: column from the left, door from the top, height; and the drawing that points at it."""

from collections.abc import Sequence

from gateway.domain.compartments import Compartment
from gateway.web.drawing import Drawing, draw, place_of
from gateway.words import Words


def where(boxes: Sequence[Compartment], number: int, words: Words) -> str:
    """A whole sentence. KeyError: no such door."""
    place = place_of(boxes, number)
    rows = words.several("parcel.where.ordinals")
    said = {
        "door": number,
        "row": rows[place.row - 1] if place.row <= len(rows) else place.row,
        "height": words(
            "parcel.where.height", metres=place.handle_mm // 1000, centimetres=f"{place.handle_mm % 1000 // 10:02}"
        ),
    }
    if place.columns == 1:
        return words("parcel.where.place_alone", **said)
    return words("parcel.where.place", column=place.column, columns=place.columns, **said)


def pointing_at(boxes: Sequence[Compartment], number: int) -> Drawing:
    return draw(boxes, {}, here=number)
