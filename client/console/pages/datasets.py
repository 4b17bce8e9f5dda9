"""The party's datasets: what is in them, what for, and why few people of them are found."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Form, Path
from starlette.exceptions import HTTPException
from starlette.responses import Response

from client.checking import check
from client.console.visit import Reader, Visit
from client.page.glossary import REASONS, Glossary
from languages import message
from party import registrations
from party.catalogue import data_map
from party.datasets.steps import BoundStep
from party.datasets.traffic import STEP
from party.diagnosis import Diagnosis, Finding
from party.errors import DatasetError
from party.registrations import Registered

router = APIRouter()
CAUSES: Final = Glossary(
    (
        message("bad format"),
        message("number format of a spreadsheet"),
        message("several values in one cell"),
        message("phone numbers without a country code"),
        message("placeholder instead of a value"),
        message("raw column is already hashed"),
        message("raw values in a column of digests"),
        message("other hash algorithm"),
        message("digest encoded twice"),
        message("text around the digest"),
        message("base64 in one letter case"),
        message("digest cut short"),
        message("digests that no usual mistake explains"),
        message("missing identifier type"),
        message("few people have this identifier type"),
        message("the other side has no such identifier"),
        message("one identifier on many people"),
        message("one value in the whole column"),
        message("personal data that is not declared"),
        message("letter case hashed in"),
        message("white space hashed in"),
        message("newline hashed in"),
        message("quotation marks hashed in"),
        message("phone number not in E.164 when hashed"),
        message("Gmail dots or tags removed before hashing"),
        message("text hashed as UTF-16"),
        message("hashed twice"),
        message("text not normalised when hashed"),
    )
)
"""Causes of a small match (`party.diagnosis.causes`); others are called as the data has them."""
Name = Annotated[str, Path(pattern="[A-Za-z0-9_-]{1,100}")]
JobId = Annotated[str, Path(pattern="[A-Za-z0-9_-]{16,64}")]


@router.get("/datasets", name="datasets")
def every(visit: Reader) -> Response:
    """Show the registered datasets, those that have ended too."""
    return visit.page(
        "datasets/list.html.jinja",
        datasets=registrations.every(visit.party),
        now=visit.party.now,
        operates=visit.may_decide,
    )


@router.get("/datasets/{name}", name="dataset")
def one(visit: Reader, name: Name) -> Response:
    """Show one dataset as of its registration."""
    found = _find(visit, name)
    steps = [BoundStep(**step) for step in found.quality.get("invalid_traffic", ())]
    return visit.page(
        "datasets/one.html.jinja",
        found=found,
        quality=found.quality,
        steps=[(one.name.removeprefix(STEP), one.before, one.after) for one in steps],
        in_use=found.in_use(visit.party.now),
        contracts=visit.party.contracts(),
    )


@router.get("/datasets/{name}/map", name="dataset_map")
def data(visit: Reader, name: Name) -> Response:
    """Show the data map: what each column is for, who was given what of it, how long."""
    _find(visit, name)
    found = data_map(visit.party, name)
    visit.party.access.note_reading("dataset.show", name)
    return visit.page("datasets/map.html.jinja", map=found)


@router.post("/datasets/{name}/check", name="dataset_check")
def diagnose(
    visit: Reader, name: Name, contract: Annotated[str, Form(pattern="[0-9a-f]{0,64}")] = ""
) -> Response:
    """Begin to look for why few people are found; it reads the source."""
    party, against = visit.party, contract or None
    _find(visit, name)
    job = visit.console.jobs.start(
        name, visit.name, lambda tell: check(party, name, contract=against, hook=tell)
    )
    return visit.then("dataset_diagnosis", name=name, job_id=job.id)


@router.get("/datasets/{name}/check/{job_id}", name="dataset_diagnosis")
def diagnosis(visit: Reader, name: Name, job_id: JobId) -> Response:
    """Show how far it is, or what it has found."""
    job = visit.console.jobs.find(job_id, visit.name, Diagnosis)
    if job is None or job.what != name:
        raise HTTPException(404)

    def cause(finding: Finding) -> str:
        return CAUSES.said(str(finding.cause), visit.language)

    def evidence(finding: Finding) -> str:
        seen = CAUSES.said(finding.evidence, visit.language)
        return REASONS.said(seen, visit.language) if seen == finding.evidence else seen

    return visit.page(
        "datasets/diagnosis.html.jinja",
        job=job,
        diagnosis=job.found,
        name=name,
        cause=cause,
        evidence=evidence,
    )


def _find(visit: Visit, name: str) -> Registered:
    try:
        return registrations.find(visit.party, name)
    except DatasetError:
        raise HTTPException(404) from None
