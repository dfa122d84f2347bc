"""Tokens across MicroPython and standard libraries: it opens what pycose and cwt sign, and they open its own."""

import json
import random
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cwt import COSE, COSEKey
from pycose.algorithms import EdDSA
from pycose.headers import KID, Algorithm
from pycose.keys import OKPKey
from pycose.messages import CoseMessage, Sign1Message

from protocol import base45
from protocol.tokens import COURIER, DELEGATE, PICKUP, TECHNICIAN, Token, claims, key_id
from tools import micropython

ROOT = Path(__file__).parents[2]
SEED = 20261124
COUNT = 12  # of each role
# RFC 8032, section 7.1, test 1: the key with which tests/shared/signer.py signs in MicroPython.
SECRET = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
SIGNER = Ed25519PrivateKey.from_private_bytes(SECRET)
PUBLIC = SIGNER.public_key().public_bytes_raw()
SIGNER_ID = key_id(PUBLIC)

# Each line of stdin: a token's text, or its fields. Each line of stdout: its fields, or its text.
SCRIPT = """
import json, sys
from binascii import hexlify, unhexlify
from protocol.ed25519_tables import prepare
from protocol.tokens import Token, key_id, open_token, seal
from signer import SECRET, public_key, sign
public = public_key(SECRET)
kid = key_id(public)
trusted = {kid: prepare(public)}
for line in sys.stdin:
    asked = json.loads(line)
    if isinstance(asked, str):
        fields = open_token(asked, trusted).values()
        fields[3] = str(hexlify(fields[3]), "ascii")
        print(json.dumps(fields))
    else:
        asked[3] = unhexlify(asked[3])
        print(json.dumps(seal(Token(*asked), kid, lambda message: sign(SECRET, message))))
"""


def in_micropython(questions: list[object]) -> list[object]:
    interpreter = micropython.find()
    told = "".join(json.dumps(question) + "\n" for question in questions)
    folders = (ROOT, ROOT / "device" / "lib", ROOT / "tests" / "shared")
    said = interpreter.run("-c", SCRIPT, heap_kb=2048, folders=folders, told=told)
    return [json.loads(line) for line in said.splitlines()]


def tokens() -> list[Token]:
    chance = random.Random(SEED)
    made: list[Token] = []
    for role in (PICKUP, COURIER, DELEGATE, TECHNICIAN) * COUNT:
        collects = role in (PICKUP, DELEGATE)
        locker = chance.choice(["gare-1", "m", "x" * 32]) if collects or chance.randrange(2) else None
        place = (chance.randint(1, 400), chance.randrange(1 << 32)) if collects else (None, None)
        subject = chance.choice(["", "dupont", "Léa", "y" * 32])
        made.append(Token(subject, locker, chance.randrange(1 << 63), chance.randbytes(8), role, *place))
    return made


def fields(token: Token) -> list[object]:
    values = token.values()
    return [*values[:3], values[3].hex(), *values[4:]]


def test_micropython_opens_what_pycose_and_cwt_sign():
    key = COSEKey.new({1: 1, 2: SIGNER_ID, 3: -8, -1: 6, -2: PUBLIC, -4: SECRET})
    texts: list[object] = []
    wanted: list[list[object]] = []
    for token in tokens():
        theirs = Sign1Message(phdr={Algorithm: EdDSA, KID: SIGNER_ID}, payload=claims(token))
        theirs.key = OKPKey(crv="ED25519", x=PUBLIC, d=SECRET)
        others = COSE(deterministic_header=True).encode_and_sign(claims(token), key, protected={1: -8, 4: SIGNER_ID})
        assert isinstance(others, bytes)
        texts += [base45.encode(theirs.encode()), base45.encode(others)]
        wanted += [fields(token)] * 2
    assert in_micropython(texts) == wanted, f"seed {SEED}"


def test_pycose_and_cwt_open_what_micropython_signs():
    made = tokens()
    key = COSEKey.new({1: 1, 2: SIGNER_ID, 3: -8, -1: 6, -2: PUBLIC})
    for token, text in zip(made, in_micropython([fields(token) for token in made]), strict=True):
        data = base45.decode(str(text))
        opened = CoseMessage.decode(data)
        opened.key = OKPKey(crv="ED25519", x=PUBLIC)
        assert isinstance(opened, Sign1Message) and opened.verify_signature(), f"seed {SEED}"
        assert opened.payload == claims(token)
        assert COSE(verify_kid=True).decode(data, key) == claims(token)
