"""The operator's pages: the fleet, each door, alarms, parcels, people, use, and the log. One file a page."""

from gateway.web.operator import (
    alarms,
    badges,
    compartment,
    contracts,
    departures,
    fleet,
    journal,
    keys,
    locker,
    map_page,
    parcels,
    privacy,
    reports,
    settings,
    signing,
    usage,
)

ROUTERS = (
    fleet.router,
    map_page.router,
    settings.router,
    locker.router,
    compartment.router,
    alarms.router,
    reports.router,
    parcels.router,
    privacy.router,
    keys.router,
    contracts.router,
    badges.router,
    departures.router,
    signing.router,
    usage.router,
    journal.router,
)
