"""The verbs that take time, for asyncio: each runs in a thread while the loop goes on.

Cancelling a task suspends its session, as Ctrl-C does on the command line; the task ends once the
session is at rest, and `requests.resume` goes on. Progress is told in the loop's own thread.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from client.cancelling import CancelToken
from client.sdk.datasets import Datasets
from client.sdk.lists import Lists
from client.sdk.log import Audit
from client.sdk.party import Party
from client.sdk.quotes import Quotes
from client.sdk.requests import Requests
from client.sdk.subjects import Subjects
from client.sdk.templates import Schedules, Templates

if TYPE_CHECKING:
    from party.driver import Progress

P = ParamSpec("P")
Owner = TypeVar("Owner")
Value = TypeVar("Value")


def _awaited(
    verb: Callable[Concatenate[Owner, P], Value],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, Value]]:
    """Return a verb that suspends for nobody else while it works."""

    async def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> Value:  # noqa: ANN401 - any face
        return await _in_thread(functools.partial(verb, self._of, *args, **kwargs))

    functools.update_wrapper(call, verb)
    return call


def _stoppable(
    verb: Callable[Concatenate[Owner, P], Value],
) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, Value]]:
    """Return a verb that is suspended when its task is cancelled."""

    async def call(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> Value:  # noqa: ANN401 - any face
        cancel = kwargs["cancel"] = kwargs.get("cancel") or CancelToken()
        if kwargs.get("progress") is not None:
            kwargs["progress"] = _in_loop(kwargs["progress"])  # type: ignore[arg-type]
        return await _in_thread(functools.partial(verb, self._of, *args, **kwargs), cancel)  # type: ignore[arg-type]

    functools.update_wrapper(call, verb)
    return call


def _in_loop(progress: Callable[[Progress], None]) -> Callable[[Progress], None]:
    loop = asyncio.get_running_loop()
    return lambda told: loop.call_soon_threadsafe(progress, told)  # type: ignore[return-value]


async def _in_thread(work: Callable[[], Value], cancel: CancelToken | None = None) -> Value:
    """Do blocking work in a thread of its own; a session may take hours, so none is shared."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Value] = loop.create_future()

    def settle(settled: Callable[[], None]) -> None:
        if not done.cancelled():
            settled()

    def run() -> None:
        try:
            value = work()
        except BaseException as error:  # noqa: BLE001 - it is raised where the verb is awaited
            loop.call_soon_threadsafe(settle, functools.partial(done.set_exception, error))
        else:
            loop.call_soon_threadsafe(settle, functools.partial(done.set_result, value))

    threading.Thread(target=run, name="commonground-aio", daemon=True).start()
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        if cancel is not None:
            cancel.cancel()
        await asyncio.wait([done])
        done.exception()  # it is at rest, by whatever way; the task ends as cancelled
        raise


class _Requests:
    def __init__(self, of: Requests) -> None:
        self._of = of

    fetch = _awaited(Requests.fetch)
    approve = _stoppable(Requests.approve)
    refuse = _awaited(Requests.refuse)
    resume = _stoppable(Requests.resume)


class _Datasets:
    def __init__(self, of: Datasets) -> None:
        self._of = of

    add = _awaited(Datasets.add)
    add_frame = _awaited(Datasets.add_frame)
    check = _awaited(Datasets.check)
    top_bound = _awaited(Datasets.top_bound)
    top_bounds = _awaited(Datasets.top_bounds)


class _Quotes:
    def __init__(self, of: Quotes) -> None:
        self._of = of

    match = _awaited(Quotes.match)
    reach = _awaited(Quotes.reach)
    overlap = _awaited(Quotes.overlap)
    insights = _awaited(Quotes.insights)
    funnel = _awaited(Quotes.funnel)
    lift = _awaited(Quotes.lift)
    cross_channel = _awaited(Quotes.cross_channel)
    table = _awaited(Quotes.table)
    attribution = _awaited(Quotes.attribution)
    delay = _awaited(Quotes.delay)
    overlap_by_identifier = _awaited(Quotes.overlap_by_identifier)


class _Lists:
    def __init__(self, of: Lists) -> None:
        self._of = of

    refresh = _stoppable(Lists.refresh)
    export = _awaited(Lists.export)


class _Templates:
    def __init__(self, of: Templates) -> None:
        self._of = of

    quote = _awaited(Templates.quote)
    run = _stoppable(Templates.run)


class _Schedules:
    def __init__(self, of: Schedules) -> None:
        self._of = of

    quote = _awaited(Schedules.quote)
    due = _stoppable(Schedules.due)


class _Subjects:
    def __init__(self, of: Subjects) -> None:
        self._of = of

    access = _awaited(Subjects.access)
    consent = _awaited(Subjects.consent)
    erase = _awaited(Subjects.erase)


class _Audit:
    def __init__(self, of: Audit) -> None:
        self._of = of

    verify = _awaited(Audit.verify)
    export_tiles = _awaited(Audit.export_tiles)
    export = _awaited(Audit.export)
    evidence = _awaited(Audit.evidence)
    witness = _awaited(Audit.witness)


class Asynchronous:
    """`Party.aio`: the same names and arguments, to be awaited."""

    def __init__(self, of: Party) -> None:
        self._of = of
        self.requests = _Requests(of.requests)
        self.datasets = _Datasets(of.datasets)
        self.quote = _Quotes(of.quote)
        self.lists = _Lists(of.lists)
        self.audit = _Audit(of.audit)
        self.subjects = _Subjects(of.subjects)
        self.templates = _Templates(of.templates)
        self.schedules = _Schedules(of.schedules)

    match = _stoppable(Party.match)
    reach = _stoppable(Party.reach)
    overlap = _stoppable(Party.overlap)
    insights = _stoppable(Party.insights)
    funnel = _stoppable(Party.funnel)
    lift = _stoppable(Party.lift)
    cross_channel = _stoppable(Party.cross_channel)
    table = _stoppable(Party.table)
    attribution = _stoppable(Party.attribution)
    delay = _stoppable(Party.delay)
    overlap_by_identifier = _stoppable(Party.overlap_by_identifier)
    lookalike = _awaited(Party.lookalike)
    suppress = _awaited(Party.suppress)
    join = _awaited(Party.join)
    doctor = _awaited(Party.doctor)
