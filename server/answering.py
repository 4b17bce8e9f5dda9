"""How a call that cannot be answered ends: a gRPC status, a reason, and which of ours it is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

import grpc

from party.errors import Breach, Refusal
from party.events import Event, note
from party.wire.refusals import CONDITION_CODES, CONDITION_KEY, STATUS_CODES, STATUS_KEY, tidy
from server.errors import Crowded, DriverFailed, NotNow, Superseded, Told, Unauthenticated

_log: Final = logging.getLogger("commonground.server")


@contextmanager
def answering(context: grpc.ServicerContext, blame: Callable[[Breach], None]) -> Iterator[None]:
    """Turn what a call raises into its status and trailing metadata.

    `blame` is told of a breach that no session's driver records.
    """
    try:
        yield
    except Refusal as refusal:
        if isinstance(refusal, Breach):
            _tell(blame, refusal)
        _refuse(context, refusal)
    except Told as told:
        _refuse(context, told.refusal)
    except NotNow as error:
        name = error.condition.value
        _abort(context, CONDITION_CODES[error.condition], name, CONDITION_KEY, name)
    except Unauthenticated as error:
        context.abort(grpc.StatusCode.UNAUTHENTICATED, tidy(str(error)))
    except Superseded as error:
        context.abort(grpc.StatusCode.ABORTED, tidy(str(error)))
    except Crowded as error:
        context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, tidy(str(error)))
    except DriverFailed as error:
        context.abort(grpc.StatusCode.INTERNAL, tidy(str(error)))
    except grpc.RpcError:
        raise  # the caller has gone, and hears nothing more
    except Exception as error:  # noqa: BLE001 - gRPC would tell the caller what went wrong here
        _note_fault(error)
        context.abort(
            grpc.StatusCode.INTERNAL, "the call failed at the other party; ask it to look"
        )


def _tell(blame: Callable[[Breach], None], breach: Breach) -> None:
    """Tell of a breach; it is refused also where the log cannot take it."""
    try:
        blame(breach)
    except Exception as error:  # noqa: BLE001 - the store may be away
        _note_fault(error)


def _note_fault(error: Exception) -> None:
    sentence = "a call failed on this side"
    note(_log, Event("call.failed"), sentence, level=logging.ERROR, fault=error)


def _refuse(context: grpc.ServicerContext, refusal: Refusal) -> NoReturn:
    code, name = STATUS_CODES[refusal.status], refusal.status.value
    _abort(context, code, refusal.message, STATUS_KEY, name)


def _abort(
    context: grpc.ServicerContext, code: grpc.StatusCode, reason: str, key: str, value: str
) -> NoReturn:
    context.set_trailing_metadata(((key, value),))
    context.abort(code, tidy(reason))
