"""Identities for households that have none: e-mail, phone, device id, member number.

The source names nobody, so every identifier here is invented: e-mail under the names reserved for
examples (RFC 2606), phones in the 555 exchange, device ids as random UUIDs. Each is a one-to-one
function of the household's number and the fixed seed, so no two people collide by accident. A few
share an e-mail on purpose, as couples do.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from examples.demo.draws import chance, mix, pick, scramble

SHARED_EMAIL = 0.012
_NUMBER_BITS = 20
_NAME_BITS = 23

_FIRST_NAMES = """
aaron abigail adam aisha alan alice amara amir andrea angela anna antonio ben bianca brian camila
carlos carmen chen chloe daniel david deepa diego dmitri elena emily emma eric ethan fatima felix
frank gabriel grace hannah hiro ines isaac jamal james jasmine john jorge julia karen kevin kwame
laura leila linda lucas maria mei michael nadia noah olga omar priya rosa samuel sofia thomas
"""
_LAST_NAMES = """
adams aguilar ahmed alvarez anderson baker banks barnes bell bennett brooks brown bryant butler
campbell carter castillo chang chavez clark coleman collins cook cooper cox cruz daniels davis
diaz edwards ellis evans fisher fleming flores ford foster freeman garcia gibson gomez gonzalez
gordon graham grant gray green griffin gupta hall hamilton hansen harris harrison hayes henderson
herrera hill hoffman howard hughes hunter ibrahim jackson jenkins jensen johnson jones jordan
joshi kelly kennedy khan kim king kowalski kumar larson lee lewis lopez marshall martin martinez
mason mcdonald medina mendoza miller mitchell moore morales morgan morris murphy murray myers
nelson nguyen novak olson ortiz owens park parker patel perez perry peters phillips powell price
ramirez reed reyes rivera robinson rossi ruiz russell sanchez schmidt scott shah simmons singh
smith sullivan
"""
_DOMAINS = (
    *("example.com", "mail.example.com", "example.net", "inbox.example.net"),
    *("example.org", "post.example.org", "home.example.com"),
)
_SEPARATORS = (".", ".", "_", "-")
_AREA_CODES = """
201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 234 239
240 248 251 252 253 254 256 260 262 267 269 270 276 281 301 302 303 304 305 307 308 309 310 312
313 314 315 316 317 318 319 320 321 323 325 330 334 336 337 339 347 351 352 360 361 385 386 401
402 404 405 406 407 408 409 410 412 413 414 415 417 419 423 425 432 434 435 440 443 469 478 479
480 484 501 502 503 504 505 507 508 509 510 512 513 515 516 517 518 520 530 540 541 551 559 561
562 563 567 570 571 573 574 575
"""
_FIRST, _LAST, _AREAS = _FIRST_NAMES.split(), _LAST_NAMES.split(), _AREA_CODES.split()
_FIRST_LINE = 1300  # 8,192 lines from here miss 555-1212, which is directory assistance
_LINE_BITS = 13


@dataclass(frozen=True)
class People:
    """n identities in normalised form (phones in E.164); Arrow strings, one a person each."""

    email: pa.StringArray
    phone: pa.StringArray
    maid: pa.StringArray
    member: pa.StringArray


def identify(numbers: np.ndarray) -> People:
    """Give each household number its identity.

    Raises ValueError for numbers outside [0, 2^20), where uniqueness would end.
    """
    emails = _emails(numbers)
    shares = chance(numbers, "shares the e-mail of the one before") < SHARED_EMAIL
    owner = np.maximum(np.arange(len(numbers)) - shares, 0)
    return People(
        email=emails.take(pa.array(owner)),
        phone=_phones(numbers),
        maid=pa.array(_maids(numbers)),
        member=join("M", _digits(scramble(numbers, "member", _NUMBER_BITS), 7)),
    )


def reference(numbers: np.ndarray, organisation: str, prefix: str) -> pa.StringArray:
    """Name each person as one organisation does; no two organisations' names can be joined."""
    return join(prefix, _digits(scramble(numbers, f"{organisation} reference", _NUMBER_BITS), 7))


def join(*parts: "pa.StringArray | str") -> pa.StringArray:
    """Concatenate strings element by element."""
    return pc.binary_join_element_wise(*parts, "")


def choose(names: "tuple[str, ...] | list[str]", indices: np.ndarray) -> pa.StringArray:
    """Take `names` by `indices`: Arrow strings, shape (n,)."""
    return pa.array(names).take(pa.array(indices))


def _emails(numbers: np.ndarray) -> pa.StringArray:
    code = scramble(numbers, "e-mail", _NAME_BITS)
    first, rest = code % len(_FIRST), code // len(_FIRST)
    last, suffix = rest % len(_LAST), rest // len(_LAST)
    most = (1 << _NAME_BITS) // (len(_FIRST) * len(_LAST))
    return join(
        choose(_FIRST, first),
        choose(_SEPARATORS, pick(numbers, "separator", len(_SEPARATORS))),
        choose(_LAST, last),
        choose(["", *map(str, range(1, most + 1))], suffix),
        "@",
        choose(_DOMAINS, pick(numbers, "domain", len(_DOMAINS))),
    )


def _phones(numbers: np.ndarray) -> pa.StringArray:
    code = scramble(numbers, "phone", _NUMBER_BITS)
    lines = _FIRST_LINE + (code & ((1 << _LINE_BITS) - 1))
    return join("+1", choose(_AREAS, code >> _LINE_BITS), "555", _digits(lines, 4))


def _maids(numbers: np.ndarray) -> list[str]:
    """Make version 4 UUIDs; their last 48 bits are one-to-one with the number."""
    high = mix(numbers, "device time")
    clock = 0x8000 + pick(numbers, "device clock", 1 << 14)
    node = scramble(numbers, "device node", 48)
    return [
        f"{h >> 32:08x}-{h >> 16 & 0xFFFF:04x}-4{h & 0xFFF:03x}-{c:04x}-{n:012x}"
        for h, c, n in zip(high.tolist(), clock.tolist(), node.tolist(), strict=True)
    ]


def _digits(values: np.ndarray, width: int) -> pa.StringArray:
    return pc.utf8_lpad(pa.array(values).cast(pa.string()), width, "0")
