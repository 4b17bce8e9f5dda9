"""Look at the compiled ladders: no branch and no address may depend on the scalar.

    python kernel/checks/constant_time.py kernel/target/release/libcommonground_kernel.so

What is checked, in the machine code of the given program or library, which must have symbols:

- the vector tiers' `ladder` is there as a function of its own, and `raise` calls it;
- in each ladder, each tier's `times` and `square_times` and all that they call, a conditional
  jump depends only on counters, every address only on pointers and counters, no instruction takes
  a time that depends on a secret operand, and every call is to code that is checked too;
- the stack that `wipe_stack` overwrites is larger than the frames of `raise` and of the ladder.

How: registers are followed through the function, over all paths, until nothing changes
(machine.py, flow.py). What is read from memory counts as secret, whatever it is, except what the
function itself has put on its stack and constants of the program. So is what a call returns.

What is not checked: the inversion's loop around `times`, the final selects and the bytes' way out
in `raise`; they see the scalar only through the points that it made. Whether a processor
multiplies in constant time (x86 promises it for vectors and integers under DOITM). Whether
something other than the compiler's own spilled registers writes to the slots it spilled to.
What a debugger, a crash dump or a page of swap shows.

With --expect-refusal every ladder must be refused: run on the example `planted`, which has a
branch and a table look-up on secret bits, it shows that the check can fail.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from flow import Entry, Refused, check
from machine import Function, Program

_TIERS = ("ifma", "avx2")
_ROOTS = ("ladder", "times", "square_times")


def main() -> int:
    """Check the file named on the command line; 1 if anything is refused."""
    parser = argparse.ArgumentParser(description="Check the compiled ladders for secret branches.")
    parser.add_argument("file", type=Path, help="a program or library with the kernel, unstripped")
    parser.add_argument("--expect-refusal", action="store_true", help="succeed if all are refused")
    arguments = parser.parse_args()
    program = Program.of(arguments.file)
    if arguments.expect_refusal:
        return _expect_refusal(program)
    try:
        for tier in _TIERS:
            _check_tier(program, tier)
    except Refused as refused:
        print(f"{arguments.file}: {refused}", file=sys.stderr)
        return 1
    return 0


def _expect_refusal(program: Program) -> int:
    status = 0
    for tier in _TIERS:
        for function in program.named(tier, "ladder"):
            try:
                check(program, function)
            except Refused as refused:
                print(f"refused, as it should be: {refused}")
                continue
            print(f"{function.name}: accepted, and should not be", file=sys.stderr)
            status = 1
    return status


def _check_tier(program: Program, tier: str) -> None:
    ladders = program.named(tier, "ladder")
    if len(ladders) != 1:
        raise Refused(f"{tier}: {len(ladders)} functions named ladder where there must be one")
    callers = [f for f in program.named(tier, "raise") if ladders[0].start in program.targets(f)]
    if len(callers) != 1:
        raise Refused(f"{tier}: raise does not call the ladder that is checked")
    seen: set[Entry] = set()
    for name in _ROOTS:
        for function in program.named(tier, name):
            check(program, function, seen)
    used = callers[0].frame_bytes() + _deepest(program, ladders[0])
    wiped = _wiped(program, tier)
    if used > wiped:
        raise Refused(f"{tier}: {used} bytes of stack are used and {wiped} wiped")
    starts = {start for start, _ in seen}
    instructions = sum(len(program.functions[start].instructions) for start in starts)
    print(
        f"{tier}: {len(starts)} functions, {instructions} instructions: no branch and no address "
        f"depends on a secret; {used} of {wiped} wiped bytes of stack are used"
    )


def _wiped(program: Program, tier: str) -> int:
    """Return the stack that the tier's `raise_block` overwrites when `raise` has returned."""
    wipes = program.named("secret", "wipe_stack")
    blocks = program.named(tier, "raise_block")
    called = {start for block in blocks for start in program.targets(block)}
    return max((wipe.frame_bytes() for wipe in wipes if wipe.start in called), default=0)


def _deepest(program: Program, function: Function) -> int:
    """Return the most stack that a function and what it calls take."""
    called = [program.functions[start] for start in program.targets(function)]
    below = [_deepest(program, callee) for callee in called if callee.start != function.start]
    return function.frame_bytes() + max(below, default=0)


if __name__ == "__main__":
    sys.exit(main())
