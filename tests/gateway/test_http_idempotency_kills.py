"""Ten callers at once for every act, and the gateway is killed in the middle: one effect each, equal answers."""

from pathlib import Path

from idempotency_campaign import RETRIES, run

KEYS, KILLS = 60, 3


def test_acts_by_ten_at_once_take_effect_once_though_the_gateway_is_killed(tmp_path: Path) -> None:
    """`make idempotency` is the long form: 1,000 acts and 20 kills."""
    said: list[str] = []
    outcome = run(tmp_path, 20_261_130, KEYS, KILLS, said.append)
    assert not outcome.wrong, (outcome.wrong[:10], said)
    assert outcome.requests == KEYS * RETRIES and len(said) == KILLS
    assert outcome.broken, "no kill met a request: this proves nothing"
    assert outcome.replayed >= KEYS * (RETRIES - 1) and outcome.effects + outcome.refused_for_good == KEYS
