"""Who sits at the console: the line, its history, Tab and the question mark, tables for people, service mode."""

from console_terminal import KEY, Terminal

from device.agent.effects import Pulse, Show
from device.agent.events import DoorSensed, ModuleSensed, Sensed, Ticked, Typed
from protocol.keys import console_answer
from protocol.limits import CONSOLE_GONE_MS, CONSOLE_IDLE_MS
from protocol.messages import DoorOpened, OpeningAuthorised, ServiceActed

UP, DOWN, LEFT, RIGHT, HOME, END, DELETE = b"\x1b[A", b"\x1b[B", b"\x1b[D", b"\x1b[C", b"\x1b[H", b"\x1bOF", b"\x1b[3~"


def shown(screen):
    """What a terminal shows of these bytes: backspace moves, letters overwrite."""
    lines, line, cursor = [], [], 0
    for letter in screen:
        if letter == "\n":
            lines.append("".join(line).rstrip())
            line, cursor = [], 0
        elif letter == "\b":
            cursor -= 1
        elif letter != "\r":
            line[cursor : cursor + 1] = [letter]
            cursor += 1
    lines.append("".join(line).rstrip())
    return lines


def test_a_line_is_edited_anywhere_with_backspaces_alone():
    terminal = Terminal()
    screen = terminal.type(b"dors" + LEFT + LEFT + LEFT + b"o" + END + b" 44" + LEFT + DELETE + b"\x01X\x7f")
    assert shown(screen) == ["doors 4"] and "\x1b" not in screen
    assert terminal.type(HOME + RIGHT + b"\x0b\x15net\r").split("\r\n")[1].startswith('OK {"acked"')
    assert shown(terminal.type(b"open 1 2\x17\x17\x17")) == [""]


def test_the_history_gives_lines_back_and_holds_no_secret():
    terminal = Terminal()
    for line in (b"time", b"answer 0123456789ab", b"badge SECRET", b"net", b"net"):
        terminal.type(line + b"\r")
    assert shown(terminal.type(UP)) == ["net"]
    assert shown("net" + terminal.type(UP)) == ["time"], "the same twice is there once; what opens is not there"
    assert shown("time" + terminal.type(UP + UP)) == ["time"]
    assert shown("time" + terminal.type(DOWN + DOWN)) == [""]
    for number in range(12):
        terminal.type(b"doors %d\r" % number)
    assert shown(terminal.type(UP * 20)) == ["doors 4"], "the last eight"


def test_tab_completes_orders_doors_and_words_and_lists_what_fits():
    terminal = Terminal()
    assert terminal.type(b"sta\t") == "status "
    terminal.type(b"\x15")
    assert terminal.type(b"lo\t") == "log", "what all that fit have in common"
    assert shown(terminal.type(b"\t")) == ["", "  log login logout", "mairie-1> log"]
    terminal.type(b"\x15")
    assert terminal.type(b"open 4\t") == "open 40 "
    terminal.type(b"\x15")
    assert terminal.type(b"service of\t") == "service off "
    assert terminal.type(b"\t") == "", "nothing stands behind it"
    assert terminal.type(b"\x15frob 1\t").endswith("frob 1")


def test_a_question_mark_explains_what_may_stand_there_and_keeps_the_line():
    terminal = Terminal()
    assert shown(terminal.type(b"open ?")) == ["open ?", "  * open NUMBER", "mairie-1> open"]
    terminal.type(b"\x15")
    assert len(shown(terminal.type(b"?"))) > 15
    assert terminal.type(b"login a?b\x16?") == "login a?b?", "inside a word, or behind Ctrl-V, it is a letter"


def test_the_prompt_says_who_where_and_how_many_alarms():
    terminal = Terminal()
    terminal.step(DoorSensed(2, False))  # forced
    terminal.step(ModuleSensed(0, "silent", [3]))
    assert terminal.type(b"\r") == "\r\nmairie-1!2> "
    terminal.log_in()
    assert terminal.type(b"\r") == "\r\nmairie-1!2 anna# "
    terminal.order("service on")
    assert terminal.type(b"\r") == "\r\nmairie-1!2/service anna# "


def test_a_table_for_people_fits_40_columns_and_a_script_still_reads_ok():
    terminal = Terminal()
    for order in (b"doors --h", b"status --h", b"net --h", b"doors 40 --h"):
        lines = terminal.type(order + b"\r").split("\r\n")
        assert "OK {}" in lines and max([len(line) for line in lines]) <= 40 and len(lines) > 5
    assert " 40 closed      free" in terminal.type(b"doors --h\r")


def test_selftest_names_the_part_and_the_fault_of_all_that_it_can_see():
    terminal = Terminal()
    terminal.log_in()
    terminal.step(Sensed("scanner", 0))
    terminal.step(Sensed("temperature_dc", 215))
    terminal.step(DoorSensed(2, False))
    terminal.step(ModuleSensed(1, "garbled", [3]))
    said = terminal.order("selftest")
    for found in ("module 2 garbled", "door 2 forced", "scanner silent", "clock not_set"):
        assert '"' + found + '"' in said, said
    assert '"passed":false' in said and "door 1" not in said
    assert "door 3" not in said, "its board is lost, and named"
    terminal.step(Sensed("scanner", 1))
    assert "scanner" not in terminal.order("selftest")
    for health, fault in enumerate(("silent", "", "wrong_part", "stuck", "garbled")):
        terminal.step(Sensed("thermometer", health))
        assert ('"thermometer ' + fault + '"' in terminal.order("selftest")) == (fault != "")
    assert terminal.order("selftest all").startswith("ERR bad_value usage: selftest [doors]")


def test_an_open_housing_and_a_weak_supply_are_counted_in_the_prompt_and_found_by_a_selftest():
    terminal = Terminal()
    terminal.log_in()
    assert terminal.order("sensors") == "OK {}"
    terminal.step(Sensed("tamper", 1))
    terminal.step(Sensed("supply_mv", 9_000))
    terminal.step(Sensed("supply_low", 1))
    assert terminal.type(b"\r") == "\r\nmairie-1!2 anna# "
    said = terminal.order("selftest")
    assert '"supply low"' in said and '"housing open"' in said
    assert terminal.order("sensors") == 'OK {"supply_low":1,"supply_mv":9000,"tamper":1}'
    terminal.step(Sensed("tamper", 0))
    terminal.step(Sensed("supply_low", 0))
    assert terminal.type(b"\r") == "\r\nmairie-1 anna# "


def test_selftest_of_the_doors_opens_the_free_ones_and_names_the_one_that_jams():
    terminal = Terminal()
    terminal.log_in()
    said = terminal.type(b"selftest doors\r")
    for number in (1, 2, 3):
        assert terminal.saved()[-1] == OpeningAuthorised(number, 3, "anna", None, None)
        terminal.now += 180
        terminal.step(DoorSensed(number, False))
        assert DoorOpened(number) in terminal.saved()
        terminal.now += 1_000
        terminal.step(DoorSensed(number, True))
        terminal.now += 300
        terminal.step(Ticked())
    assert [effect for effect in terminal.effects if isinstance(effect, Pulse)] == [Pulse(40, 300)]
    for _try in range(3):
        terminal.now += 2_000
        said = terminal.type(b"")
    assert "! door 40 jammed" in said
    terminal.now += 300
    assert '"findings":["door 40 jammed"]' in terminal.type(b"")


def test_ctrl_c_ends_what_is_under_way_and_what_was_typed_behind_it_waits():
    terminal = Terminal()
    terminal.log_in()
    terminal.type(b"selftest doors\r")
    assert terminal.type(b"time\r") == "", "it waits for its turn"
    screen = terminal.type(b"\x03net\r")
    assert "^C\r\nERR stopped" in screen and screen.count("OK {") == 1 and '"acked"' in screen


def test_service_mode_ends_deposits_until_its_technician_is_gone():
    terminal = Terminal()
    assert terminal.order("service") == 'OK {"actor":null,"service":false}'
    assert terminal.order("service on") == "ERR not_allowed login first"
    terminal.log_in()
    terminal.order("service on")
    assert terminal.saved() == [ServiceActed("anna", "service on")]
    assert Show("service", ()) in terminal.effects and terminal.agent.ledger.no_deposits == "service"
    assert terminal.order("service off") == 'OK {"actor":null,"service":false}'
    assert terminal.agent.ledger.no_deposits == ""
    terminal.order("service on")
    terminal.now += CONSOLE_IDLE_MS
    terminal.step(Ticked())
    assert terminal.saved() == [ServiceActed("anna", "service off")] and Show("welcome", ()) in terminal.effects
    assert terminal.agent.console.actor == "" and terminal.agent.ledger.no_deposits == ""


def test_the_desk_is_cleared_away_when_nobody_is_there_and_a_challenge_is_still_good():
    terminal = Terminal()
    challenge = bytes.fromhex(terminal.order("login anna")[17:33])
    terminal.now += CONSOLE_GONE_MS
    terminal.step(Ticked())
    assert terminal.agent.console.desk is None and terminal.agent.console.deadline() is None
    assert terminal.order("answer " + console_answer(KEY, challenge, "anna")) == 'OK {"actor":"anna"}'


def test_one_key_that_makes_a_long_echo_a_thousand_times_is_answered_in_pieces():
    terminal = Terminal()
    terminal.type(b"x" * 280 + HOME)
    assert len(terminal.type(b"y" * 20)) == 580, "letters in a row are drawn once"
    terminal.step(Typed((b"y" + RIGHT) * 20))
    sizes = [len(effect.data) for effect in terminal.effects if hasattr(effect, "data")]
    assert sum(sizes) < 2_500, "what was typed waits for the next lap"
    terminal.type(b"\x05")
    assert len(terminal.agent.console.desk.editor.line) == 320


def test_full_journal_is_said_at_the_console_and_ends_no_session():
    terminal = Terminal()
    terminal.log_in()
    terminal.agent.ledger.journal_free = 0
    assert terminal.order("open 1").startswith("ERR journal_full")
    assert terminal.order("time").startswith("OK {")
