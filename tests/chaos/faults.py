"""What happens to a session: each fault is done to one party, undone, and says what it was.

Every fault here passes, so a session has to come to its result after it. The clock alone may end
one: a party whose clock has jumped does not meet the age of consent that the contract asks for,
or finds the request over; then both have to say so.
"""

import time

from cast import ASKER, LISTENERS

DAY_SECONDS = 86_400
ENDS = {"clock": ("CONSENT_STALE", "EXPIRED")}
"""Faults that may end a session, and how."""


def kill(cast, victim, random):
    """SIGKILL; started again after a while, as systemd, a person or a script does."""
    serves = cast.phase() > 0 and random.random() < 0.5
    cast.process(victim).kill()
    if victim != ASKER:
        cast.stage.roads[victim].lead_to(None)
    cast.cut(victim)
    time.sleep(random.uniform(0, 2))
    if victim == ASKER and not serves:
        cast.ask()
    else:
        cast.serve(victim)
    return "then served" if serves and victim == ASKER else "started again"


def stop(cast, victim, random):
    """SIGSTOP, for less and for longer than the patience of the others."""
    process, seconds = cast.process(victim), random.uniform(0.5, 8)
    process.freeze()
    time.sleep(seconds)
    process.thaw()
    return f"{seconds:.1f} s"


def cut(cast, victim, random):
    """The link goes down and comes back: packets are lost without a word."""
    cable, seconds = cast.stage.cables[victim], random.uniform(0.5, 7)
    cable.pull()
    time.sleep(seconds)
    cable.plug()
    return f"{seconds:.1f} s"


def stall(cast, victim, random):
    """Connections stay, and nothing comes through."""
    seconds = random.uniform(0.5, 8)
    roads = _roads(cast, victim)
    for road in roads:
        road.block()
    time.sleep(seconds)
    for road in roads:
        road.unblock()
    return f"{seconds:.1f} s"


def delay(cast, victim, random):
    """300 ms on every block, each way."""
    roads, seconds = _roads(cast, victim), random.uniform(1, 4)
    before = [(road.latency_seconds, road.bytes_per_second) for road in roads]
    for road, (_, rate) in zip(roads, before, strict=True):
        road.slow(0.3, rate)
    time.sleep(seconds)
    for road, usual in zip(roads, before, strict=True):
        road.slow(*usual)
    return f"{seconds:.1f} s"


def truncate(cast, victim, random):
    """Half a block, and then the end of the stream."""
    del random
    for road in _roads(cast, victim):
        road.truncate()
    return "next block"


def reset(cast, victim, random):
    """RST on every connection, both ways."""
    del random
    for road in _roads(cast, victim):
        road.reset()
    return "every connection"


def bandwidth(cast, victim, random):
    """A narrow link (tbf)."""
    cable, seconds = cast.stage.cables[victim], random.uniform(1, 4)
    rate = random.choice(("64kbit", "256kbit"))
    cable.narrow(rate)
    time.sleep(seconds)
    cable.widen()
    return f"{rate}, {seconds:.1f} s"


def disk(cast, victim, random):
    """No room on the party's disk."""
    seconds = random.uniform(0.5, 4)
    cast.disks[victim].fill()
    time.sleep(seconds)
    cast.disks[victim].free()
    return f"{seconds:.1f} s"


def clock(cast, victim, random):
    """A party's clock jumps: by what daylight saving errors and dead batteries make of it."""
    seconds, back = random.choice((-86_400, -3_000, -60, 60, 3_600, 93_600)), random.random() < 0.5
    cast.set_clock(victim, seconds)
    if not back and abs(seconds) < DAY_SECONDS:
        return f"{seconds:+d} s"
    time.sleep(random.uniform(1, 5))  # until somebody sets it: by a day off, certificates end
    cast.set_clock(victim, 0)
    return f"{seconds:+d} s, and back"


def database(cast, victim, random):
    """PostgreSQL ends under all transactions, at once or in good order, and starts again."""
    del victim
    mode, seconds = random.choice(("immediate", "fast")), random.uniform(0, 3)
    cast.stage.database.fall(mode)
    time.sleep(seconds)
    cast.stage.database.come_up()
    return f"{mode}, {seconds:.1f} s"


FAULTS = {
    one.__name__: one
    for one in (
        *(kill, stop, cut, stall, delay, truncate, reset, bandwidth, disk, clock),
        database,
    )
}


def _roads(cast, victim):
    names = LISTENERS[cast.kind] if victim == ASKER else (victim,)
    return [cast.stage.roads[name] for name in names]
