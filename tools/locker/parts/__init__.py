"""Emulated parts on a locker's buses: bytes in, what a person would see out. Pure: no clock, no I/O."""
