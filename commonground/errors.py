"""What the verbs raise, and the exit code that a command would end with (docs/exit-codes.md).

`exit_code(error)` tells it; None is a fault of the program. `EXPECTED` is the tuple of roots, for
`except errors.EXPECTED`.

| exit code | exceptions |
|---|---|
| 3, refused | `Refusal` with its `status`, `RefusedThere` by the counterpart, `NotEntitled` to it |
| 4, goes on later | `SessionSuspended`, `Waiting` for somebody, `Cancelled` by the caller |
| 5, not what was signed | `AuditError`, `StoredContractError`, `ResultError` |
| 6, input or contract does not serve | every other one: `PartyError`, `ContractError`, … |
"""

from audit.errors import AuditError
from client.cancelling import Cancelled
from client.carrying import Waiting
from client.errors import (
    DialError,
    NotAccepted,
    PeerFailed,
    ProxyRefused,
    Unreachable,
    WrongCertificate,
)
from client.exits import EXPECTED, ExitCode, exit_code
from party.errors import (
    AccessError,
    BackupError,
    ConsentError,
    ContractError,
    DatasetError,
    IdentityError,
    InUse,
    InvitationError,
    LineageError,
    NotEntitled,
    PartyError,
    Refusal,
    RefusalStatus,
    RefusedThere,
    ResultError,
    SessionSuspended,
    SettingsError,
    StoredContractError,
    StoreError,
)
from privacy.errors import PrivacyError
from psi.errors import PsiError
from reports.errors import ReportError

__all__ = [
    "EXPECTED",
    "AccessError",
    "AuditError",
    "BackupError",
    "Cancelled",
    "ConsentError",
    "ContractError",
    "DatasetError",
    "DialError",
    "ExitCode",
    "IdentityError",
    "InUse",
    "InvitationError",
    "LineageError",
    "NotAccepted",
    "NotEntitled",
    "PartyError",
    "PeerFailed",
    "PrivacyError",
    "ProxyRefused",
    "PsiError",
    "Refusal",
    "RefusalStatus",
    "RefusedThere",
    "ReportError",
    "ResultError",
    "SessionSuspended",
    "SettingsError",
    "StoreError",
    "StoredContractError",
    "Unreachable",
    "Waiting",
    "WrongCertificate",
    "exit_code",
]
