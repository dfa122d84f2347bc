"""Lock boards as they are in the field, answering byte for byte: what drivers are tested against, and what the doors
of a virtual locker hang on. Pure: time comes in, bytes come out. README.md of tools/locker tells the interface.
"""
