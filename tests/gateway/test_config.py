"""Settings: read once, in a known order, and loud about everything that is wrong."""

from pathlib import Path

import pytest

from gateway.config import Address, ConfigurationError, Settings, data_folder, load, usage


def problems(argv: list[str], environment: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(argv, environment)
    return caught.value.problems


def home(tmp_path: Path) -> dict[str, str]:
    return {"HOME": str(tmp_path), "CONSIGNE_DATA": str(tmp_path / "data")}


def test_without_a_word_everything_has_a_value(tmp_path: Path):
    settings = load([], home(tmp_path))
    assert settings == Settings.default(tmp_path / "data")
    assert settings.http == Address("127.0.0.1", 8420)
    assert settings.broker is None
    assert settings.database_path == tmp_path / "data" / "consigne.db"


def test_a_flag_beats_the_environment_and_that_beats_the_file(tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "consigne.toml").write_text('pickup_days = 3\nlog = "json"\nhttp = "127.0.0.1:1"\n')
    environment = home(tmp_path) | {"CONSIGNE_LOG": "plain", "CONSIGNE_HTTP": "127.0.0.1:2"}
    settings = load(["--http", "127.0.0.1:3"], environment)
    assert (settings.pickup_days, settings.log, settings.http.port) == (3, "plain", 3)


def test_every_problem_is_named_at_once(tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "consigne.toml").write_text("log = true\nshelf = 1\n")
    environment = home(tmp_path) | {"CONSIGNE_PICKUP_DAYS": "61", "CONSIGNE_COLOUR": "red"}
    found = "\n".join(problems(["--http", "nowhere", "--loud"], environment))
    for word in ("log", "shelf", "pickup_days", "CONSIGNE_COLOUR", "http", "--loud"):
        assert word in found


def test_an_unknown_flag_names_the_known_ones(tmp_path: Path):
    assert "--pickup-days" in problems(["--days", "3"], home(tmp_path))[0]


def test_a_flag_without_its_value_is_a_problem(tmp_path: Path):
    assert problems(["--http"], home(tmp_path)) == ["--http wants a value"]


def test_a_file_that_was_asked_for_must_exist(tmp_path: Path):
    assert "does not exist" in problems(["--config", str(tmp_path / "no.toml")], home(tmp_path))[0]


def test_a_file_that_is_no_toml_is_a_problem(tmp_path: Path):
    path = tmp_path / "x.toml"
    path.write_text("= = =")
    assert str(path) in problems([f"--config={path}"], home(tmp_path))[0]


def test_a_file_in_another_encoding_is_a_problem_with_its_remedy(tmp_path: Path):
    path = tmp_path / "x.toml"
    path.write_bytes('mail_from = "Mairie de Château <consigne@chateau.example>"'.encode("latin-1"))
    assert problems([f"--config={path}"], home(tmp_path)) == [f"{path}: save it as UTF-8"]


@pytest.mark.parametrize("text", ["localhost", "h:99999", "h:1/path", "ftp://h:1", "h:x", ":1", ""])
def test_what_is_no_address_is_refused(tmp_path: Path, text: str):
    assert problems(["--broker", text], home(tmp_path))


def test_a_brokers_address_may_carry_who_we_are_there_and_never_shows_the_password(tmp_path: Path):
    broker = load(["--broker", "mqtts://gate:hush@[::1]:8883"], home(tmp_path)).broker
    assert broker == Address("::1", 8883, "gate", "hush", tls=True)
    assert str(broker) == "[::1]:8883"
    assert "hush" not in repr(broker)


def test_a_wrong_address_does_not_show_the_password_that_was_in_it(tmp_path: Path):
    assert "hush" not in "".join(problems(["--broker", "mqtt://gate:hush@host"], home(tmp_path)))


def test_the_tools_own_variables_are_left_alone(tmp_path: Path):
    assert load([], home(tmp_path) | {"CONSIGNE_URL": "x", "CONSIGNE_KEY": "x", "CONSIGNE_CACHE": "x"})


def test_data_lives_where_the_system_says(tmp_path: Path):
    assert data_folder({"XDG_DATA_HOME": str(tmp_path)}) == tmp_path / "consigne"
    assert data_folder({"XDG_DATA_HOME": "/x", "CONSIGNE_DATA": str(tmp_path)}) == tmp_path


def test_the_usage_names_every_setting():
    for name in Settings.__dataclass_fields__:
        assert "--" + name.replace("_", "-") in usage()


# ------------------------------------------------------------------ letters
MAILS = ["--smtp", "smtps://consigne%40town@mail.example:465", "--mail-from", "Consignes <a@b.example>"]


def test_without_a_word_no_letter_is_sent(tmp_path: Path):
    assert load([], home(tmp_path)).channels == ()


def test_a_mail_server_is_an_address_with_a_user_and_never_a_password(tmp_path: Path):
    settings = load([*MAILS, "--smtp-password-file", "secret"], home(tmp_path))
    assert settings.smtp == Address("mail.example", 465, "consigne@town", tls=True)
    assert settings.channels == ("mail",)
    said = "".join(problems(["--smtp", "smtp://me:hush@mail.example:587", *MAILS[2:]], home(tmp_path)))
    assert "smtp_password_file" in said and "hush" not in said


@pytest.mark.parametrize(
    "text", ["mail.example:25", "http://m:25", "smtp://m", "smtp://:25", "smtp://m:x", "smtp://m:1/x"]
)
def test_what_is_no_mail_server_is_refused(tmp_path: Path, text: str):
    assert problems(["--smtp", text, *MAILS[2:]], home(tmp_path))


def test_settings_that_go_together_are_asked_for_together(tmp_path: Path):
    assert any("smtp_password_file" in each for each in problems(MAILS, home(tmp_path)))
    alone = {
        "smtp": "smtp://m:25",
        "mail_from": "a@b.example",
        "smtp_password_file": "x",
        "sms_url": "https://s.example",
        "sms_headers_file": "x",
        "sms_body": '{"a": "{to}{text}"}',
    }
    for name, value in alone.items():
        said = problems([f"--{name.replace('_', '-')}={value}"], home(tmp_path))
        assert len(said) == 1 and f"{name} goes with" in said[0]


@pytest.mark.parametrize("text", ["a", "a@", "a@b, c@d", "a@b\nBcc: c@d", "é@b.example", "<>", ""])
def test_what_is_no_sender_is_refused(tmp_path: Path, text: str):
    assert problems(["--smtp", "smtp://m:25", "--mail-from", text], home(tmp_path))


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("https://colis.example", True),
        ("https://colis.example/consigne/", True),
        ("http://127.0.0.1:8420", True),
        ("http://[::1]:8420", True),
        ("http://localhost", True),
        ("http://colis.example", False),
        ("https://me:hush@colis.example", False),
        ("https://colis.example/?a=1", False),
        ("https://colis.example/#a", False),
        ("https://", False),
        ("https://h:99999", False),
        ("ftp://colis.example", False),
        ("https://" + "x" * 100, False),
    ],
)
def test_people_are_sent_to_https_addresses_only(tmp_path: Path, text: str, good: bool):
    if good:
        assert load(["--public-url", text], home(tmp_path)).public_url == text.rstrip("/")
    else:
        said = "".join(problems(["--public-url", text], home(tmp_path)))
        assert "hush" not in said


@pytest.mark.parametrize("text", ["", "{", "[]", '{"to": "{to}"}', '{"text": "{text}"}', '"{to}{text}"'])
def test_what_is_no_template_of_a_text_message_is_refused(tmp_path: Path, text: str):
    assert problems(["--sms-url", "https://s.example/", f"--sms-body={text}"], home(tmp_path))


def test_text_messages_leave_by_https_or_to_this_machine_only(tmp_path: Path):
    body = '--sms-body={"a": "{to}", "b": ["{text}"]}'
    assert load(["--sms-url", "https://s.example/v1?x=1", body], home(tmp_path)).channels == ("sms",)
    assert load(["--sms-url", "http://127.0.0.1:9/", body], home(tmp_path)).channels == ("sms",)
    assert problems(["--sms-url", "http://s.example/", body], home(tmp_path))
