"""What a type checker has to know of the SDK; `mypy` checks this file, nothing runs it."""

from pathlib import Path
from typing import assert_type

import pandas as pd

from audit.verify import Comparison, Verification
from client.subjects import Answer, Erased
from commonground import (
    Audience,
    CancelToken,
    Exported,
    Ledger,
    OverlapByIdentifier,
    Party,
    Progress,
    Quote,
    QuoteByIdentifier,
    QuoteOfSeries,
    Report,
    Series,
    Suppressed,
    Template,
)
from party.known_peers import Peer
from party.reception import Issued


def verbs(party: Party, progress: list[Progress]) -> None:
    token = CancelToken()
    assert_type(
        Party.create("a", name="a", organisation="A", origin="a.test/log", jurisdiction="NL"), Party
    )
    assert_type(party.match(receiver="a", progress=progress.append, cancel=token), Audience)
    assert_type(party.match(name="n", use="exclude", suppression_runs=0), Audience)
    assert_type(party.reach(segment="s", by="f", epsilon="1"), Report)
    assert_type(party.reach().private.to_pandas(), pd.DataFrame)
    assert_type(party.reach().to_html("reach.html"), Path)
    assert_type(party.reach().private.to_png("reach.png"), Path)
    assert_type(party.quote.reach(by="f"), Quote)
    assert_type(party.requests.resume("1"), Report | Audience)
    assert_type(party.audit.verify(), Verification)
    assert_type(party.audit.verify(with_=party), Comparison)
    assert_type(party.audit.verify(with_=[party, "v"]), tuple[Comparison, ...])
    assert_type(party.ledger(), Ledger)
    assert_type(party.lists.list(), list[Audience])
    assert_type(party.lists.refresh("n", progress=progress.append).added, pd.DataFrame)
    assert_type(party.lists.export("n", "meta", "o.csv", identifiers=("email",)), Exported)
    assert_type(party.suppress("1", cover=True), Suppressed)
    assert_type(party.subjects.access("1", "answer", identifier="email"), Answer)
    assert_type(party.subjects.consent("1"), Answer)
    assert_type(party.subjects.erase("1", "receipt.json", dataset="d"), Erased)
    assert_type(party.overlap_by_identifier(resume=True), OverlapByIdentifier)
    assert_type(party.overlap_by_identifier().private.verdicts_to_pandas(), pd.DataFrame)
    assert_type(party.quote.overlap_by_identifier(), QuoteByIdentifier)
    assert_type(party.templates.save("n", "reach", html="{date}.html"), Template)
    assert_type(party.templates.run("n", progress=progress.append), Report)
    assert_type(party.schedules.quote("n", every="day", until="2026-12-31"), QuoteOfSeries)
    assert_type(party.schedules.make("n", every="day", until="2026-12-31").cancelled_at, int | None)
    assert_type(party.schedules.list(), list[Series])
    party.lists.export("n", "meta", "o.csv", part=1)  # type: ignore[arg-type]
    assert_type(party.peers.list(), list[Peer])
    assert_type(party.invitations.withdraw("1"), Issued)
    assert_type(party.join(party.invite("a", hours=1), id="c"), Path)
    party.reach(epsilon=1.0)  # type: ignore[arg-type] # ε is exact decimal text
    with party.serve("127.0.0.1:0") as serving:
        assert_type(serving.port, int)


async def awaited(party: Party) -> None:
    assert_type(await party.aio.match(receiver="a"), Audience)
    assert_type(await party.aio.reach("s", "f", epsilon="1"), Report)
    assert_type(await party.aio.quote.match(), Quote)
    assert_type(await party.aio.requests.resume("1", wait=True), Report | Audience)
    assert_type(await party.aio.lists.refresh("n"), Audience)
    assert_type(await party.aio.suppress("1"), Suppressed)
    assert_type(await party.aio.overlap_by_identifier(resume=True), OverlapByIdentifier)
    assert_type(await party.aio.templates.run("n"), Report)
    await party.aio.reach(segments="s")  # type: ignore[call-arg]
