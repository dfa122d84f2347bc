"""The laptop's half of a locker's serial console. Scripts use these; the command itself is in command.py."""

from tools.console.login import Answerer, key_file_answerer, log_in
from tools.console.ports import BAUD, open_port
from tools.console.session import Session

__all__ = ["BAUD", "Answerer", "Session", "key_file_answerer", "log_in", "open_port"]
