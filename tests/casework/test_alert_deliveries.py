"""How long a webhook that took nothing is left alone."""

from api.casework.alert_deliveries import FIRST_WAIT, LONGEST_WAIT, wait_after


def test_waits_double_up_to_a_bound() -> None:
    waits = [wait_after(attempts) for attempts in (0, 1, 2, 3, 100)]

    assert waits == [FIRST_WAIT, FIRST_WAIT * 2, FIRST_WAIT * 4, FIRST_WAIT * 8, LONGEST_WAIT]
