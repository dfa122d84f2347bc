"""What a sensor said last, as the API says it."""

from pydantic import Field

from gateway.domain.instants import instant
from gateway.domain.readings import Reading as Told
from gateway.http.document import Document


class Reading(Document):
    name: str = Field(
        description="temperature_celsius, chip_temperature_celsius, supply_volts, energy_joules (since its start),"
        " housing_open (0 or 1); others may come."
    )
    value: float
    told_at: str

    @staticmethod
    def of(told: Told) -> "Reading":
        return Reading(name=told.quantity.name, value=told.in_base_units, told_at=instant(told.told_s))
