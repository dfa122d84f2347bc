TYPE_CHECKING = False  # all of `typing` that a locker needs; flashed to /lib
