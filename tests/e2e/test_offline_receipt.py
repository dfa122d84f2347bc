"""The cable is cut: a courier still leaves a parcel, and has the locker's word for it."""

from scene import Scene

from protocol import receipts
from protocol.hmac import HmacKey
from protocol.keys import sub_key


def test_with_the_cable_cut_a_parcel_goes_in_and_the_screen_shows_a_receipt_that_only_this_locker_can_write(
    scene: Scene,
) -> None:
    cabinet = scene.cabinet
    part = scene.part()
    part.expect("S")
    cabinet.watch()
    cabinet.cable("reset")
    scene.stack.wait_for("the board's notice", lambda: scene.link()["state"] != "online")
    part.show_badge()
    cabinet.scan(part.label)
    cabinet.wait_for_screen("Taille ?")
    cabinet.keys("1")
    number = int(part.door("open")["compartment"])
    part.compartment = number
    part.close_door()
    text = cabinet.wait_for(lambda event: event["event"] == "qr" and event["text"])["text"]
    screen = cabinet.wait_for_screen("Reçu")  # the code is drawn last: all of its lines stand there
    key, kid = HmacKey(sub_key(scene.locker.bundle.key, "receipt")), bytes([scene.locker.bundle.generation])
    assert receipts.locker_of(text) == scene.locker.id
    receipt = receipts.open_receipt(key, kid, text)
    assert (receipt.compartment, receipt.label, receipt.size) == (number, part.label, 0)
    assert screen[2].replace(" ", "") == receipts.digits(key, receipt)
    cabinet.keys("*")
    cabinet.wait_for(lambda event: event["event"] == "qr" and not event["text"])
    part.close()
