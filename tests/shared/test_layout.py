"""What a locker tells of how it is built, and what it keeps of compartments that are not there any more."""


def boxes(*row):
    return [{"number": number, "size": size, "lock": number, "door": 100 + number} for number, size in row]


def document(*named, **more):
    found = {"version": 1, "locker": "test-1", "modules": [{"name": name, "compartments": row} for name, row in named]}
    found.update(more)
    return found
