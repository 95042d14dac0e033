"""GB 11643. The numbers are the standard's own examples or invented."""

from datetime import date

import pytest

from app.core.resident_id import birth_date, check_character, complete_15_digits, is_resident_id, sex_of

EXAMPLES = ["11010519491231002X", "440524188001010014"]


@pytest.mark.parametrize("number", EXAMPLES)
def test_the_standards_examples_check(number: str) -> None:
    assert is_resident_id(number)
    assert check_character(number[:17]) == number[17]


@pytest.mark.parametrize("number", EXAMPLES)
def test_any_single_wrong_digit_is_found(number: str) -> None:
    for at in range(17):
        for digit in "0123456789":
            if digit != number[at]:
                assert not is_resident_id(number[:at] + digit + number[at + 1 :])


@pytest.mark.parametrize("number", EXAMPLES)
def test_two_neighbours_swapped_are_found(number: str) -> None:
    for at in range(16):
        if number[at] != number[at + 1]:
            assert not is_resident_id(number[:at] + number[at + 1] + number[at] + number[at + 2 :])


@pytest.mark.parametrize("text", ["", "11010519491231002", "11010519491231002x", "1101051949123100²X", "A" * 18])
def test_other_texts_are_no_number(text: str) -> None:
    assert not is_resident_id(text)


def test_birth_date_and_sex_stand_inside() -> None:
    assert birth_date("11010519491231002X") == date(1949, 12, 31)
    assert sex_of("11010519491231002X") == 2
    assert sex_of("440524188001010014") == 1


def test_a_day_that_never_was_is_none() -> None:
    assert birth_date("110105194902310020") is None
    assert birth_date("110105000012310020") is None


def test_fifteen_digits_are_completed_to_a_number_that_checks() -> None:
    completed = complete_15_digits("110105491231002")
    assert completed == "11010519491231002X"
    assert is_resident_id(completed)
