"""The skeleton of an impact assessment: PIPL 55 and 56, with what GDPR 35(7) asks besides."""

from __future__ import annotations

from client.documents import parts
from client.documents.blocks import Block, Document, Heading, Paragraph, Points, Question, Rows
from client.documents.data import data
from client.documents.facts import Known
from languages import Language
from party.contract_terms import OutputKind


def impact_assessment(known: Known, _: Language) -> Document:
    """Return the skeleton for one contract, from the point of view of its party."""
    blocks: list[Block] = [
        Heading(_("Reference")),
        parts.reference(known, _),
        Heading(_("Why an assessment is made (PIPL 55; GDPR 35)")),
        _occasions(known, _),
        *parts.titled(_("The processing"), parts.activities(known, _)),
        *parts.titled(_("The parties"), parts.parties(known, _)),
        *parts.titled(_("The data"), data(known, _)),
        *parts.titled(_("Who learns what"), parts.recipients(known, _)),
        *parts.titled(_("Across borders"), parts.transfers(known, _)),
        Heading(_("1. Purpose and method: lawful, legitimate, necessary (PIPL 56(1))")),
        Paragraph(
            _(
                "People take part whose consent covers the purpose and the recipient that stand "
                "above. The contract grants nothing else, and a request for anything else is "
                "refused."
            )
        ),
        Question(
            _(
                "The legal basis of each purpose, and where the notice to people stands. Whether "
                "the same could be reached with less data, fewer labels or a smaller budget."
            )
        ),
        Heading(_("2. Effect on people's rights, and risks (PIPL 56(2))")),
        Points(_risks(known, _)),
        Question(
            _(
                "For each risk: how likely it is and how grave for the people, here. Whether "
                "people are treated differently because of a result (automated decisions, PIPL "
                "24; GDPR 22), and what they can do about it."
            )
        ),
        Heading(_("3. Measures: lawful, effective, in proportion to the risk (PIPL 56(3))")),
        *parts.measures(known, _),
        *parts.retention(known, _),
        Question(_("What remains as a risk after these measures, and who accepts it.")),
        Heading(_("People's views, and advice (GDPR 35(2), 35(9))")),
        Question(
            _(
                "Advice of the data protection officer or the person in charge of personal "
                "information protection; views of people or their representatives."
            )
        ),
        *parts.titled(_("What has been done so far"), parts.happened(known, _)),
        Heading(_("Conclusion")),
        Question(
            _(
                "Whether the processing may begin or go on, on which conditions; who decided, and "
                "when; when the assessment is to be looked at again."
            )
        ),
        Paragraph(
            _(
                "Keep this assessment and the record of the processing for at least three years "
                "(PIPL 56)."
            )
        ),
    ]
    return Document(
        "impact-assessment",
        _("Personal information protection impact assessment"),
        _(
            "After PIPL articles 55 and 56 and GDPR article 35(7), for contract {contract}. A "
            "skeleton: it is an assessment when people have filled in what is open, before the "
            "processing begins.",
            contract=known.contract.id,
        ),
        blocks,
    )


def _occasions(known: Known, _: Language) -> Rows:
    contract = known.contract
    declared = any(card.places is not None for card in contract.parties.values())
    abroad = (
        _("yes: see the transfers below")
        if contract.transfers
        else _("no, by what the parties declared")
        if declared
        else _("not known: no party declared where its data lies")
    )
    platforms = any(grant.export_to for grant in contract.outputs)
    rows = [
        (_("Sensitive personal information (55(1))"), _sensitive(known, _)),
        (_("Automated decisions (55(2))"), _("to be answered by people")),
        (
            _("Entrusted, provided to other handlers or published (55(3))"),
            _("yes: blinded identifiers and, of a match, who is shared; lists go to platforms")
            if platforms
            else _("yes: blinded identifiers and, of a match, who is shared"),
        ),
        (_("Provided abroad (55(4))"), abroad),
        (
            _("Another great effect on people (55(5)); GDPR 35(3)"),
            _("to be answered by people"),
        ),
    ]
    return Rows((_("Occasion"), _("In this contract")), rows, "")


def _sensitive(known: Known, _: Language) -> str:
    """Say which declared columns are sensitive; of minors below 14 all data is (PIPL 28)."""
    columns = sorted(
        f"{name}.{column}"
        for name, offered in known.datasets.items()
        if offered is not None
        for column in offered.definition.sensitive
    )
    if columns:
        return _("yes: {columns}", columns=", ".join(columns))
    return _(
        "none is declared in the datasets of this party; to be confirmed by people, also "
        "whether there are minors below 14"
    )


def _risks(known: Known, _: Language) -> list[str]:
    kinds = {grant.kind for grant in known.contract.outputs}
    risks = [
        _(
            "Each side learns noisy sizes of the others' sets, and, as the tabulator, counts with "
            "dummies in them."
        ),
        _(
            "A party that breaks the protocol is noticed by known answers, signatures and the "
            "countersigned log, some of it only afterwards."
        ),
        _("Whoever holds a party's folder and keys holds its lists and results."),
    ]
    if OutputKind.MATCH in kinds:
        risks.insert(
            0,
            _(
                "The receiver of a list learns of each of its own people whether the sender has "
                "the person too. That is personal data of both, and no noise hides it."
            ),
        )
    if kinds - {OutputKind.MATCH}:
        risks.append(
            _(
                "Many counts about the same people add up. The budget bounds how much, over all "
                "reports of a window; after it the next window begins."
            )
        )
    return risks
