"""What the agent takes of a board's heap, measured in a real MicroPython; and how much there is of it to flash."""

import ast
import io
import json
import os
import subprocess
import tempfile
import time
import tokenize
from pathlib import Path

import serial

from device.agent.books import Books
from gateway.packages import cache_folder
from protocol.messages import Deposited, DepositAuthorised, Up
from tools import micropython
from tools.bench.counts import Counts
from tools.bench.report import Report
from tools.console import Session
from tools.locker import cabinets, client, rom
from tools.locker.cabinets import Hardware
from tools.locker.controller import HEAP_KB
from tools.locker.provision import Bundle, provision

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).parent / "board" / "agent_memory.py"
LARGE_KB = 1_000  # enough to compile everything in, for the comparison
CODES = 100
LINES_GOAL = 3_000
