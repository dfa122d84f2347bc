"""Numbers that stand for words inside messages, and their words: each said once, for both sides."""

# How an opening was asked for, or a code shown.
KEYPAD, SCANNER, CONSOLE, COMMAND = 1, 2, 3, 4

# Why a courier asks for a compartment (again).
FIRST, TOO_SMALL, JAMMED, WRONG_BOX = 0, 1, 2, 3
REASONS = {FIRST: "first", TOO_SMALL: "too_small", JAMMED: "jammed", WRONG_BOX: "wrong_box"}

# Door states (the table is device.agent.door's), as they stand in Birth and DoorFaulted.
DOOR_STATES = (
    "unknown",
    "closed",
    "opening",
    "open",
    "left_open",
    "jammed",
    "forced",
    "faulty",
    "out_of_service",
)

# What a compartment holds, as the locker knows it; Birth.doors packs (holding << 4 | door state).
FREE, DEPOSITING, HELD, REVOKED = 0, 1, 2, 3
QUARANTINED_FLAG = 0x80
LEAVING_FLAG = 0x40  # its module leaves: nothing is put in any more, what lies inside is fetched as ever

# What CommandDone says of an OutOfService: in or out; and of a technician's word at the locker: its module stays after
# all, or leaves.
STAYS, LEAVES = 2, 3

# What a courier keys when no gateway can be asked; a size is the place of its letter.
SIZES = ("S", "M", "L")

# In which a screen can greet; a language's number on the wire is its place.
LANGUAGES = ("fr", "en")

# How a part is that can be asked (events.Sensed: scanner, display, meter, thermometer).
PART_SILENT, PART_WELL, PART_WRONG, PART_STUCK, PART_GARBLED = 0, 1, 2, 3, 4

# What an occupancy sensor says that the books do not: something where nothing is, nothing where something is.
UNEXPECTED, MISSING, SENSOR_FAULTY = 0, 1, 2
CONTENTS_FINDINGS = ("unexpected", "missing", "sensor_faulty")
