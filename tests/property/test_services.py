"""Every call that the proto files promise is answered by code of ours.

Generated base classes answer "not implemented"; a call that nobody overrides would stay so.
"""

import importlib
from pathlib import Path

import pytest
from google.protobuf.descriptor import ServiceDescriptor

from server.collaboration_service import CollaborationService
from server.doctor_service import DoctorService
from server.join_service import JoinService
from server.key_service import KeyService
from server.parcel_service import ParcelService
from server.session_service import SessionService
from server.suppression_service import SuppressionService

SERVED = {
    service.__name__: service
    for service in (
        CollaborationService,
        DoctorService,
        JoinService,
        KeyService,
        ParcelService,
        SessionService,
        SuppressionService,
    )
}
PROTO = Path(__file__).parents[2] / "proto" / "commonground" / "v1"


def promised() -> list[ServiceDescriptor]:
    files = [
        importlib.import_module(f"commonground.v1.{path.stem}_pb2").DESCRIPTOR
        for path in sorted(PROTO.glob("*.proto"))
    ]
    return [service for file in files for service in file.services_by_name.values()]


def test_every_promised_service_is_served_and_no_other():
    assert {service.name for service in promised()} == set(SERVED)


@pytest.mark.parametrize(
    ("service", "call"),
    [(service.name, call.name) for service in promised() for call in service.methods],
)
def test_a_call_is_answered_by_the_service_and_not_by_its_generated_base(service, call):
    ours = [base for base in SERVED[service].__mro__ if base.__module__.startswith("server.")]
    assert any(call in vars(base) for base in ours)
