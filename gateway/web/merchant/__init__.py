"""A merchant's pages: announce a parcel and print its label, follow one's own, take back what nobody fetched."""

from gateway.web.merchant import export, orders, parcels

ROUTERS = (export.router, orders.router, parcels.router)
