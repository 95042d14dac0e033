"""Resident ID numbers, GB 11643: 17 digits and a check character by ISO 7064 MOD 11-2."""

from datetime import date
from operator import mul

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
# what the digits' bytes add over the digits themselves
_OFFSET = ord("0") * sum(_WEIGHTS)


def check_character(digits: str) -> str:
    """The 18th character for 17 digits. Raises ValueError for another number of them."""
    if len(digits) != len(_WEIGHTS):
        raise ValueError("want 17 digits")
    # a million rows of an import pass here: bytes are their digits but for a constant
    return _CHECKS[(sum(map(mul, digits.encode(), _WEIGHTS)) - _OFFSET) % 11]


def is_resident_id(number: str) -> bool:
    """Whether 18 characters check; upper-case X. Says nothing of the birth date inside."""
    return (
        len(number) == 18
        and number[:17].isascii()
        and number[:17].isdigit()
        and check_character(number[:17]) == number[17]
    )


def birth_date(number: str) -> date | None:
    """The birth date in digits 7–14, None when there is no such day."""
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None


def sex_of(number: str) -> int:
    """GB/T 2261.1: 1 male, 2 female, by the 17th digit."""
    return 1 if int(number[16]) % 2 else 2


def complete_15_digits(number: str) -> str:
    """The 18 characters of a number of before 1999: `19` before the year, the check character behind.

    People older than the century had numbers ending 996–999 then; they are a hundred and twenty now and the rule
    for them is left out.
    """
    digits = f"{number[:6]}19{number[6:]}"
    return digits + check_character(digits)
