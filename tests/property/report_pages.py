"""Renderings of tables that are written down, a source to name with them, and pages as data."""

from html.parser import HTMLParser
from types import MappingProxyType

from client.page.source import Source
from party.contract_terms import OutputKind
from party.request import LabelList, Request
from party.request_parameters import Parameters
from privacy.session import SessionNoise, TableLaws
from reports.by_identifier import PrivateByIdentifier, ShareableByIdentifier
from reports.cells import PrivateEstimates, ShareableEstimates
from reports.kinds import build
from reports.table import ReleasedTable, ReleaseParameters

LAWS = TableLaws(SessionNoise(10**9, 10**9, 10**6))
SECRET = 4711
"""The recipient's exact audience of each segment: it stands in no page that may be passed on."""
_MEAN = LAWS.dummies.mean
_VOID = {"meta", "img", "br", "hr", "link"}
FREQUENCIES = (("1", "2", "3+"), ((163, 4, 9), (107, -3, 260), (91, -40, 30)))
CASES = {
    "reach": ("reach", *FREQUENCIES),
    "campaigns": ("reach", ("C1", "C2", "C1+C3"), ((400, -9, 30), (3, -30, 2), (90, -20, 40))),
    "overlap": ("overlap", ("all",), ((500, -60, 12),)),
    "funnel": ("funnel", ("seen", "visited"), ((300, 40, 5), (200, -7, 50))),
    "insights": ("insights", ("north", "south"), ((300, 40, 5), (200, -7, 50))),
    "lift": ("lift", ("test", "held out"), ((300, 5, 35), (220, 45, 50))),
    "three by three": ("table", *FREQUENCIES),
    "table": ("table", ("x", "y"), ((300, 40, 5), (200, -7, 50))),
}


def released(labels, counts, segments=("gold", "silver", "none")):
    """Return a table whose estimates are `counts`."""
    shifted = tuple(tuple(count + _MEAN for count in row) for row in counts)
    sizes = (9000,) * len(labels), (6000,) * len(segments)
    parameters = ReleaseParameters(10**9, 10**9, 10**6, 1, 1, 128, 10)
    return ReleasedTable(labels, segments, shifted, *sizes, parameters)


def shareable(case, labels=None, **more):
    kind, usual, counts = CASES[case]
    return build(kind, ShareableEstimates(released(labels or usual, counts, **more), LAWS))


def private(case, drawn=_MEAN):
    kind, labels, counts = CASES[case]
    table = released(labels, counts)
    dummies = ((drawn,) * 3,) * len(labels)
    return build(kind, PrivateEstimates(table, LAWS, dummies, (SECRET,) * 3))


def by_identifier(kind=ShareableEstimates):
    """Return an overlap by identifier in which nobody is found by phone."""
    tables = {"phone": released(("all",), ((2,),), ("all",))}
    tables["email"] = released(("all",), ((1500,),), ("all",))
    if kind is ShareableEstimates:
        return ShareableByIdentifier({k: kind(table, LAWS) for k, table in tables.items()})
    estimates = {k: kind(table, LAWS, ((_MEAN,),), (SECRET,)) for k, table in tables.items()}
    return PrivateByIdentifier(estimates, {"phone": 0.5, "email": 0.9})


def source(segment="tier", identifiers=("phone", "email"), party="channel"):
    request = Request(
        id="1f0c22ab" * 4,
        contract="c0" * 32,
        kind=OutputKind.REACH,
        requester="advertiser",
        roles=MappingProxyType({"tabulator": party, "recipient": "advertiser"}),
        datasets=MappingProxyType({party: "subscribers", "advertiser": "customers"}),
        labels=MappingProxyType(
            {
                party: LabelList("frequency", ("1", "2", "3+")),
                "advertiser": LabelList(segment, ("gold", "silver", "none")),
            }
        ),
        identifiers=identifiers,
        parameters=Parameters(
            epsilon_release_nano=250_000_000, most_identifiers={party: 2, "advertiser": 2}
        ),
        purpose="dpv:MarketResearch",
        min_match=0,
        created=0,
        expires=1,
    )
    return Source(
        request, "summer", "2026-11-22T11:26:05.000000Z", "5e" * 32, "7a" * 32, "brand.test/log", 17
    )


class Page(HTMLParser):
    """A page read back: its tables by caption, its images, its links, and the text around."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.text, self.tables, self.images, self.addresses = "", {}, [], []
        self.tags, self.open, self.cells, self._row = [], [], [], None
        self.feed(text)
        self.close()
        assert self.open == [], "a tag is not closed"

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.addresses += [v for k, v in attributes if k in ("src", "href", "srcset", "action")]
        if tag == "img":
            self.images.append(dict(attributes))
        if tag == "table":
            self._rows, self._caption = [], ""
        if tag == "tr":
            self._row = []
        if tag in ("td", "th"):
            self._row.append("")
            self.cells.append((tag, dict(attributes)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"{tag} ends out of place"
        if tag == "tr":
            self._rows.append(tuple(self._row))
        if tag == "table":
            self.tables[self._caption.strip()] = self._rows

    def handle_data(self, data):
        if "style" in self.open:
            return
        self.text += data
        if self.open and self.open[-1] == "caption":
            self._caption += data
        if "td" in self.open or "th" in self.open:
            self._row[-1] += data

    @property
    def numbers(self):
        """The table of every number: a dictionary a line."""
        found = next(rows for caption, rows in self.tables.items() if caption.startswith("Every"))
        return [dict(zip(found[0], row, strict=True)) for row in found[1:]]
