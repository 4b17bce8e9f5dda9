"""Which data takes part: what each party offers, whose consent it rests on, what is protected."""

from __future__ import annotations

from client.documents.blocks import Block, Paragraph, Rows
from client.documents.facts import Known, Offered
from client.documents.parts import moment
from languages import Language
from party.datasets.consent import (
    ConsentColumn,
    ConsentInRecords,
    ConsentStrings,
    ConsentTable,
)


def data(known: Known, _: Language) -> list[Block]:
    """Return which data of this party takes part, and whose."""
    rows = []
    for name, terms in known.contract.datasets[known.me].items():
        offered = known.datasets[name]
        labels = "; ".join(f"{label}: {', '.join(v)}" for label, v in terms.labels.items())
        rows.append(
            (
                name,
                ", ".join(terms.identifiers),
                labels or _("none"),
                _consent(offered, _),
                _("not registered here") if offered is None else offered.registered.snapshot,
            )
        )
    head = (
        _("Dataset"),
        _("Identifiers (they leave blinded only)"),
        _("Attributes that may be counted"),
        _("Consent is read from"),
        _("Digest of what was registered"),
    )
    theirs = [
        (
            name,
            dataset,
            ", ".join(terms.identifiers),
            ", ".join(terms.labels) or _("none"),
        )
        for name in known.counterparts
        for dataset, terms in known.contract.datasets[name].items()
    ]
    other = (_("Party"), _("Dataset"), _("Identifiers"), _("Attributes"))
    return [
        Paragraph(_("Of this party:")),
        Rows(head, rows, ""),
        _special(known, _),
        Paragraph(_("Of the other parties:")),
        Rows(other, theirs, ""),
    ]


def _special(known: Known, _: Language) -> Rows:
    """Return what the descriptions of this party's datasets say of sensitive data and minors."""
    rows = [
        (
            name,
            "; ".join(f"{one.column} ({one.category})" for one in definition.sensitive.values())
            or _("none declared"),
            _("no rule")
            if definition.minors is None
            else _(
                "below {age} by a guardian's consent only",
                age=definition.minors.under,
            ),
            _("no end declared")
            if offered.registered.ends_at is None
            else moment(offered.registered.ends_at, _),
        )
        for name, offered in known.datasets.items()
        if offered is not None
        for definition in (offered.definition,)
    ]
    head = (
        _("Dataset"),
        _("Sensitive columns, counted by separate consent only"),
        _("Minors"),
        _("Kept until"),
    )
    return Rows(head, rows, _("No dataset of this contract is registered here."))


def _consent(offered: Offered | None, _: Language) -> str:
    if offered is None:
        return _("not known here")
    match offered.definition.consent:
        case ConsentColumn() as consent:
            return _(
                "column {column}, for {purposes}, towards {recipients}",
                column=consent.column,
                purposes=", ".join(consent.purposes),
                recipients=", ".join(consent.recipients),
            )
        case ConsentTable():
            return _("a table of events; for each purpose and recipient the latest counts")
        case ConsentStrings() as consent:
            return _(
                "TC strings of IAB Europe in column {column}, by vendor: {vendors}",
                column=consent.column,
                vendors=", ".join(f"{name} {number}" for name, number in consent.vendors.items()),
            )
        case ConsentInRecords():
            return _("this party's own records of consent (ISO/IEC TS 27560)")
