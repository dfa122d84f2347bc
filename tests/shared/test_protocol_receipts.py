"""Deposit receipts: what a courier's phone hands in is the locker's word, or it is refused with a code."""

from refusal import refusal_of

from protocol import damm, receipts
from protocol.hmac import HmacKey
from protocol.limits import RECEIPT_SIZE_MAX

KEY = HmacKey(bytes(range(32)))
KID = b"\x01"
RECEIPT = receipts.Receipt(7, 41, bytes(range(8)), "chez-léa", "LB123456789FR", 1, 1_900_000_000)
TEXT = receipts.seal(KEY, KID, "gare-1", RECEIPT)


def test_a_receipt_comes_back_as_it_was_and_names_its_locker():
    assert receipts.locker_of(TEXT) == "gare-1"
    assert receipts.open_receipt(KEY, KID, TEXT) == RECEIPT


def test_a_receipt_of_a_locker_without_a_clock_says_so():
    dark = receipts.Receipt(7, 41, bytes(range(8)), "chez-léa", "LB123456789FR", 1, None)
    assert receipts.open_receipt(KEY, KID, receipts.seal(KEY, KID, "gare-1", dark)).t_wall_s is None


def test_a_receipt_fits_a_qr_codes_alphanumeric_letters():
    assert all([letter in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:" for letter in TEXT])
    widest = receipts.Receipt(400, 0xFFFFFFFF, bytes(8), "\u00e9" * 32, "\U0001f4e6" * 64, 255, (1 << 63) - 1)
    text = receipts.seal(KEY, KID, "g" * 32, widest)
    assert len(text) <= RECEIPT_SIZE_MAX and receipts.open_receipt(KEY, KID, text) == widest


def test_another_lockers_key_or_one_changed_letter_is_refused():
    assert refusal_of(receipts.open_receipt, HmacKey(bytes(32)), KID, TEXT) == "bad_mac"
    assert refusal_of(receipts.open_receipt, KEY, b"\x02", TEXT) == "unknown_key"
    refused = 0
    for place in range(len(TEXT) - 40, len(TEXT)):
        other = "0" if TEXT[place] != "0" else "1"
        if refusal_of(receipts.open_receipt, KEY, KID, TEXT[:place] + other + TEXT[place + 1 :]):
            refused += 1
    assert refused == 40


def test_what_is_no_receipt_is_malformed():
    for text in ("", "CR1:", "CR1:GARE-1", "CR1:gare-1:00", "CR2:GARE-1:00", "CR1:GARE-1:00", TEXT + "0" * 800):
        assert refusal_of(receipts.open_receipt, KEY, KID, text) == "malformed", text


def test_the_digits_name_their_compartment_and_prove_the_deposit():
    code = receipts.digits(KEY, RECEIPT)
    assert code == "007" + code[3:] and len(code) == 12 and damm.is_valid(code)
    assert receipts.compartment_of(code) == 7
    for other in (
        receipts.Receipt(7, 42, RECEIPT.badge, RECEIPT.carrier, RECEIPT.label, 1, None),
        receipts.Receipt(7, 41, RECEIPT.badge, "other", RECEIPT.label, 1, None),
        receipts.Receipt(7, 41, RECEIPT.badge, RECEIPT.carrier, "LB123456780FR", 1, None),
        receipts.Receipt(7, 41, RECEIPT.badge, RECEIPT.carrier, RECEIPT.label, 2, None),
    ):
        assert receipts.digits(KEY, other) != code
    assert receipts.digits(HmacKey(bytes(32)), RECEIPT) != code
    assert receipts.digits(KEY, receipts.Receipt(400, 1, bytes(8), "c", "l", 0, None))[:3] == "400"


def test_a_mistyped_receipt_is_told_from_a_false_one():
    code = receipts.digits(KEY, RECEIPT)
    wrong = code[:5] + str((int(code[5]) + 1) % 10) + code[6:]
    assert refusal_of(receipts.compartment_of, wrong) == "bad_check_digit"
    for text in ("", code[:11], code + "0", "00700000000x"):
        assert refusal_of(receipts.compartment_of, text) == "malformed", text
