"""Public ids: their shape, their order in time, and that they do not repeat."""

from prm.lib.ids import is_public_id, public_id, ulid


def test_an_id_is_a_prefix_and_26_lower_case_characters() -> None:
    made = public_id("pay")
    assert made.startswith("pay_")
    assert len(made) == 30
    assert set(made[4:]) <= set("0123456789abcdefghjkmnpqrstvwxyz")
    assert is_public_id(made, "pay")
    assert not is_public_id(made, "prg")


def test_the_encoding_is_that_of_a_ulid() -> None:
    # 1469918176385 ms is the example time of the ULID text: 01ARYZ6S41.
    assert ulid(clock=lambda: 1469918176385, randomness=lambda bits: 0) == "01aryz6s41" + "0" * 16
    assert ulid(clock=lambda: 2**48 - 1, randomness=lambda bits: 2**80 - 1) == "7" + "z" * 25


def test_later_ids_sort_after_earlier_ones() -> None:
    early = public_id("pay", clock=lambda: 1_700_000_000_000)
    late = public_id("pay", clock=lambda: 1_700_000_000_001)
    assert early < late


def test_ids_of_one_millisecond_differ() -> None:
    assert len({public_id("pay", clock=lambda: 1) for _ in range(2000)}) == 2000


def test_other_texts_are_not_taken_for_ids() -> None:
    made = public_id("pay")
    for text in (
        "",
        "pay_",
        made.upper(),
        made + "0",
        made + "\n",
        made[:-1] + "u",
        "pay_8" + made[5:],
        "pay' OR 1=1",
    ):
        assert not is_public_id(text, "pay"), text
