"""Numbers that a state gives to a person, as far as their own check digits tell them.

Each kind has its country, how it is written, and the check that its issuer defines. A number that
passes is not known to be anybody's: the scan asks how many texts of a column pass.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

Check = Callable[[str], bool]
"""Judges a number without spaces, dots and hyphens, in upper case."""

_CN_PROVINCES: Final = re.compile("1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3]")
_IT_ODD: Final = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21) * 2
        + (2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)
_TW_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVXYWZIO"
_VERHOEFF_TURN: Final = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


@dataclass(frozen=True)
class NationalId:
    """One kind of number: `written` is a pattern that has no groups, `check` its issuer's rule."""

    country: str
    name: str
    written: str
    check: Check


def luhn(digits: str) -> bool:
    """Say whether the last digit is the check digit of ISO/IEC 7812-1, Annex B."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(number - 9 * (number > 9) for number in doubled) % 10 == 0


def weighted(digits: str, weights: Sequence[int]) -> int:
    """Return the sum of the digits, each times its weight."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def is_day(text: str) -> bool:
    """Say whether YYYYMMDD is a day since 1900 that has begun to be possible as a birthday."""
    try:
        return 1900 <= date(int(text[:4]), int(text[4:6]), int(text[6:8])).year <= 2100
    except ValueError:
        return False


def _is_short_day(text: str) -> bool:
    """Say whether YYMMDD is a day in 1900 or 2000 and the years after."""
    return is_day(f"19{text}") or is_day(f"20{text}")


def _cn(text: str) -> bool:
    """GB 11643-1999: province, birthday, and the check of ISO 7064 MOD 11-2."""
    total = weighted(text[:17], [2**power % 11 for power in range(17, 0, -1)])
    check = "10X98765432"[total % 11]
    return _CN_PROVINCES.match(text) is not None and is_day(text[6:14]) and check == text[17]


def _tw(text: str) -> bool:
    letter = 10 + _TW_LETTERS.index(text[0])
    return (
        letter // 10 + letter % 10 * 9 + weighted(text[1:], (8, 7, 6, 5, 4, 3, 2, 1, 1))
    ) % 10 == 0


def _hk(text: str) -> bool:
    letters = [ord(letter) - 55 for letter in text[:-7]]
    places = [36, *letters][-2:] + [int(digit) for digit in text[-7:-1]]
    check = 10 if text[-1] == "A" else int(text[-1])
    return (sum(n * w for n, w in zip(places, range(9, 1, -1), strict=True)) + check) % 11 == 0


def _sg(text: str) -> bool:
    total = weighted(text[1:8], (2, 7, 6, 5, 4, 3, 2)) + {"T": 4, "G": 4, "M": 3}.get(text[0], 0)
    letters = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "F": "XWUTRQPNMLK", "G": "XWUTRQPNMLK"}
    return letters.get(text[0], "XWUTRQPNJLK")[total % 11] == text[8]


def _kr(text: str) -> bool:
    """The date alone: since 2020 the last digits are drawn, and nothing checks them."""
    century = {"1": "19", "2": "19", "5": "19", "6": "19"}.get(text[6], "20")
    return is_day(century + text[:6])


def _jp(text: str) -> bool:
    rest = weighted(text[:11], (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return (0 if rest <= 1 else 11 - rest) == int(text[11])


def _in(text: str) -> bool:
    """Verhoeff's check, in the dihedral group of order ten."""
    total = 0
    for place, digit in enumerate(reversed(text)):
        number = int(digit)
        for _ in range(place % 8):
            number = _VERHOEFF_TURN[number]
        total = _dihedral(total, number)
    return total == 0


def _dihedral(a: int, b: int) -> int:
    turned = (a % 5 + (b if a < 5 else -b)) % 5
    return turned + 5 * ((a < 5) is not (b < 5))


def _it(text: str) -> bool:
    odd = sum(_IT_ODD[letter] for letter in text[:15:2])
    even = sum(int(letter, 36) - 10 * letter.isalpha() for letter in text[1:15:2])
    return chr(65 + (odd + even) % 26) == text[15]


def _es(text: str) -> bool:
    number = int(text[:-1].translate(str.maketrans("XYZ", "012")))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] == text[-1]


def _fr(text: str) -> bool:
    number = int(text[:13].replace("2A", "19").replace("2B", "18"))
    return 97 - number % 97 == int(text[13:])


def _de(text: str) -> bool:
    """ISO 7064 MOD 11,10, and one digit of the first ten stands two or three times."""
    rest = 10
    for digit in text[:10]:
        rest = ((int(digit) + rest) % 10 or 10) * 2 % 11
    often = sorted(text[:10].count(digit) for digit in set(text[:10]))
    return (11 - rest) % 10 == int(text[10]) and often[-1] in (2, 3) and often[-2] == 1


def _pl(text: str) -> bool:
    month = int(text[2:4]) % 20
    check = -weighted(text[:10], (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10
    return _is_short_day(f"{text[:2]}{month:02d}{text[4:6]}") and check == int(text[10])


def _br(text: str) -> bool:
    for length in (9, 10):
        rest = weighted(text[:length], range(length + 1, 1, -1)) * 10 % 11 % 10
        if rest != int(text[length]):
            return False
    return len(set(text)) > 1


def _nl(text: str) -> bool:
    return weighted(text, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0 and int(text) > 0


def _be(text: str) -> bool:
    check = int(text[9:])
    return check in (97 - int(text[:9]) % 97, 97 - int("2" + text[:9]) % 97)


def _ch(text: str) -> bool:
    return -weighted(text[:12], (1, 3) * 6) % 10 == int(text[12])


def _se(text: str) -> bool:
    return _is_short_day(text[-10:-4]) and luhn(text[-10:])


def _us(text: str) -> bool:
    return text[:3] not in ("000", "666") and text[0] != "9" and text[3:5] != "00" and (
        text[5:] != "0000"
    )  # fmt: skip


def _gb(text: str) -> bool:
    return text[:2] not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ")


NATIONAL_IDS: Final = (
    NationalId("CN", "resident id", r"[1-9][0-9]{16}[0-9Xx]", _cn),
    NationalId("TW", "national id", r"[A-Za-z][1289][0-9]{8}", _tw),
    NationalId("HK", "identity card", r"[A-Za-z]{1,2}[0-9]{6}\([0-9Aa]\)", _hk),
    NationalId("SG", "NRIC", r"[STFGMstfgm][0-9]{7}[A-Za-z]", _sg),
    NationalId("KR", "resident registration number", r"[0-9]{6}-[1-8][0-9]{6}", _kr),
    NationalId("JP", "individual number", r"[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}", _jp),
    NationalId("IN", "Aadhaar", r"[2-9][0-9]{3}[ -]?[0-9]{4}[ -]?[0-9]{4}", _in),
    NationalId(
        "IT", "codice fiscale", r"[A-Za-z]{6}[0-9]{2}[A-Za-z][0-9]{2}[A-Za-z][0-9]{3}[A-Za-z]", _it
    ),
    NationalId("ES", "DNI or NIE", r"[0-9XYZxyz][0-9]{7}-?[A-Za-z]", _es),
    NationalId(
        "FR", "NIR",
        r"[1-478] ?[0-9]{2} ?[0-9]{2} ?[0-9][0-9ABab] ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}", _fr,
    ),
    NationalId("DE", "tax id", r"[1-9][0-9] ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}", _de),
    NationalId("PL", "PESEL", r"[0-9]{11}", _pl),
    NationalId("BR", "CPF", r"[0-9]{3}\.?[0-9]{3}\.?[0-9]{3}-?[0-9]{2}", _br),
    NationalId("NL", "BSN", r"[0-9]{9}", _nl),
    NationalId(
        "BE", "national number", r"[0-9]{2}\.?[0-9]{2}\.?[0-9]{2}-?[0-9]{3}[.-]?[0-9]{2}", _be
    ),
    NationalId("CH", "AHV number", r"756\.?[0-9]{4}\.?[0-9]{4}\.?[0-9]{2}", _ch),
    NationalId("SE", "personal number", r"(?:[0-9]{2})?[0-9]{6}[-+]?[0-9]{4}", _se),
    NationalId("US", "social security number", r"[0-9]{3}-[0-9]{2}-[0-9]{4}", _us),
    NationalId(
        "GB", "NINO",
        r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]", _gb,
    ),
)  # fmt: skip
_BETWEEN: Final = re.compile(r"[ .()+-]")


def bare(text: str) -> str:
    """Return a number as checks take it: without what stands between its digits, in upper case."""
    return _BETWEEN.sub("", text).upper()
