"""The record of processing activities: GDPR 30(1), point by point."""

from __future__ import annotations

from client.documents import parts
from client.documents.blocks import Block, Document, Heading, Question
from client.documents.data import data
from client.documents.facts import Known
from languages import Language


def processing_record(known: Known, _: Language) -> Document:
    """Return the record of one contract, as its party keeps it."""
    blocks: list[Block] = [
        Heading(_("Reference")),
        parts.reference(known, _),
        *parts.titled(_("(a) Controllers"), parts.parties(known, _)),
        Question(
            _(
                "Contact details of the controller, of a joint controller, of the representative "
                "and of the data protection officer; who of the parties is controller, joint "
                "controller or processor."
            )
        ),
        *parts.titled(_("(b) Purposes"), parts.activities(known, _)),
        *parts.titled(_("(c) Data subjects and personal data"), data(known, _)),
        Question(_("Categories of data subjects, such as customers or subscribers.")),
        *parts.titled(_("(d) Recipients"), parts.recipients(known, _)),
        *parts.titled(_("(e) Transfers to third countries"), parts.transfers(known, _)),
        *parts.titled(_("(f) Time limits for erasure"), parts.retention(known, _)),
        Question(_("Time limits for the source data, and the rule they follow.")),
        *parts.titled(_("(g) Technical and organisational measures"), parts.measures(known, _)),
        Question(
            _(
                "Measures around the program: who has access to the machine and its folder, disk "
                "encryption, backups, training."
            )
        ),
        *parts.titled(_("What has been done so far"), parts.happened(known, _)),
    ]
    return Document(
        "processing-record",
        _("Record of processing activities"),
        _(
            "After GDPR article 30(1), for contract {contract}. What the program knows stands "
            "here; what it cannot know is marked to be filled in.",
            contract=known.contract.id,
        ),
        blocks,
    )
