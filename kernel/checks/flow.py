"""Follow secrets through the registers of a function, over all its paths."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from machine import Function, Instruction, Program

_PUBLIC, _SECRET = 0, 1  # a larger value is public too: the address of a function
_FLAGS = "flags"
_FULL = {
    **{f"{p}{r}{s}": f"r{r}{s}" for r, s in ("ax", "bx", "cx", "dx") for p in ("", "e", "r")},
    **{f"{r}l": f"r{r}x" for r in "abcd"},
    **{f"{r}h": f"r{r}x" for r in "abcd"},
    **{f"{p}{r}": f"r{r}" for r in ("si", "di", "bp", "sp") for p in ("", "e", "r")},
    **{f"{r}l": f"r{r}" for r in ("si", "di", "bp", "sp")},
    **{f"r{n}{s}": f"r{n}" for n in range(8, 16) for s in ("", "d", "w", "b")},
}
_MEMORY = re.compile(r"^(?:%fs:)?(-?0x[0-9a-f]+|-?\d+)?\((%\w+)?(?:,(%\w+))?(?:,\d)?\)")
_CLOBBERED = ("rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", _FLAGS)
_ARGUMENTS = ("rdi", "rsi", "rdx", "rcx", "r8", "r9")
_OUTER = {"memcpy", "memset", "memmove"}  # their time depends on the length, which is checked
_STOPS = {"ret", "ud2", "int3", "hlt"}
_IDLE = {"nop", "nopw", "nopl", "xchg", "vzeroupper", "endbr64", "cld"}
_COMPARE = {"cmp", "cmpb", "cmpl", "cmpq", "cmpw", "test", "testb", "testl", "testq", "bt"}
_COMBINE = {"add", "sub", "and", "or", "xor", "adc", "sbb", "imul", "shl", "shr", "sar", "rol",
            "ror", "inc", "dec", "neg", "not", "shld", "shrd", "bts", "btr"}  # fmt: skip
_COPY = {"mov", "movabs", "movzbl", "movzwl", "movzbq", "movsbl", "movslq", "movb", "movl", "movq",
         "movw", "movzwq", "movsbq", "movzbw"}  # fmt: skip
_VECTOR_BYTES = {"%xmm": 16, "%ymm": 32, "%zmm": 64}
_WORD_BYTES = 8

Entry = tuple[int, frozenset[str]]  # a function, and the registers that hold secrets at its entry
State = dict[str | int, int]  # a register or a slot of the stack (its displacement): its value


class Refused(Exception):  # noqa: N818 - a verdict, not a fault
    """The code does what depends on a secret, or what this check does not understand."""


def check(program: Program, function: Function, seen: set[Entry] | None = None) -> None:
    """Check a function whose arguments are pointers and counters, and all that it calls.

    `seen` collects the functions, each with the registers that may hold secrets at its entry.

    Raises:
        Refused: a jump, an address or a call depends on a secret, or might.
    """
    seen = set() if seen is None else seen
    pending: list[Entry] = [(function.start, frozenset())]
    while pending:
        entry = pending.pop()
        if entry not in seen:
            seen.add(entry)
            pending += _Walk(program, program.functions[entry[0]]).all_paths(entry[1])


@dataclass
class _Walk:
    program: Program
    function: Function
    before: dict[int, State] = field(default_factory=dict)  # by position, as known so far
    calls: set[Entry] = field(default_factory=set)

    def all_paths(self, secrets: frozenset[str]) -> set[Entry]:
        """Walk until nothing changes, and return what is called."""
        entry: State = {name: int(name in secrets) for name in {*_FULL.values(), _FLAGS}}
        pending = [(0, entry)]
        while pending:
            position, state = pending.pop()
            known = self.before.get(position)
            merged = state if known is None else _join(known, state)
            if merged == known:
                continue
            self.before[position] = merged
            pending += self._step(position, dict(merged))
        return self.calls

    def _step(self, position: int, state: State) -> list[tuple[int, State]]:
        """Return where control goes from an instruction, and the state there."""
        instruction = self.function.instructions[position]
        mnemonic = instruction.mnemonic
        if mnemonic in _STOPS:
            return []
        if mnemonic.startswith("j"):
            return self._jump(instruction, position, state)
        if mnemonic == "call":
            self._call(instruction, state)
        elif mnemonic not in _IDLE:
            self._require_public_addresses(instruction, state)
            self._execute(instruction, state)
        return [(position + 1, state)]

    def _jump(
        self, instruction: Instruction, position: int, state: State
    ) -> list[tuple[int, State]]:
        target = self.function.index.get(_code_address(instruction.operands[0]))
        if target is None:
            raise self._refused(instruction, "leaves the function")
        if instruction.mnemonic == "jmp":
            return [(target, state)]
        if state[_FLAGS] == _SECRET:
            raise self._refused(instruction, "branches on a secret")
        return [(target, dict(state)), (position + 1, state)]

    def _call(self, instruction: Instruction, state: State) -> None:
        target: int | str = self._target(instruction, state)
        secrets = frozenset(name for name in _ARGUMENTS if state[name] == _SECRET)
        if isinstance(target, int) and target in self.program.functions:
            self.calls.add((target, secrets))
        elif target not in _OUTER:
            raise self._refused(instruction, "calls what is not known")
        elif secrets & {"rdi", "rsi", "rdx"}:
            raise self._refused(instruction, "passes a secret address or length")
        state.update(dict.fromkeys(_CLOBBERED, _SECRET))

    def _target(self, instruction: Instruction, state: State) -> int | str:
        operand = instruction.operands[0]
        if not operand.startswith("*"):
            return _code_address(operand)
        if instruction.slot is not None:
            return self.program.cells.get(instruction.slot, 0)
        value = state.get(_register(operand[1:]) or "", _SECRET)
        return _NAMES.get(value, value)

    def _require_public_addresses(self, instruction: Instruction, state: State) -> None:
        for operand in instruction.operands:
            memory = _MEMORY.match(operand)
            for part in memory.groups()[1:] if memory else ():
                name = _register(part) if part else None
                if part and name is None and part != "%rip":
                    raise self._refused(instruction, "addresses memory by a vector")
                if name and state[name] == _SECRET:
                    raise self._refused(instruction, "addresses memory by a secret")

    def _execute(self, instruction: Instruction, state: State) -> None:
        mnemonic, operands = instruction.mnemonic, instruction.operands
        sources = [self._value(operand, instruction, state) for operand in operands]
        if mnemonic[0] in "vk" or (operands and "%xmm" in "".join(operands)):
            self._execute_vector(operands, state)
        elif mnemonic in _COMPARE:
            state[_FLAGS] = max(_secret(value) for value in sources)
        elif mnemonic in _COPY:
            _write(operands[-1], sources[0], state)
        elif mnemonic == "lea":
            _write(operands[-1], _PUBLIC, state)  # the address is public, or it was refused
        elif mnemonic == "push":
            pass
        elif mnemonic == "pop":
            _write(operands[0], _SECRET, state)
        elif mnemonic.startswith("set"):
            _write(operands[0], state[_FLAGS], state)
        elif mnemonic.startswith("cmov"):
            _write(operands[-1], max(*map(_secret, sources), state[_FLAGS]), state)
        elif mnemonic.rstrip("bwlq") in _COMBINE or mnemonic in _COMBINE:
            self._combine(mnemonic, operands, sources, state)
        else:
            raise self._refused(instruction, "is not known to this check")

    def _combine(
        self, mnemonic: str, operands: tuple[str, ...], sources: list[int], state: State
    ) -> None:
        result = max(_secret(value) for value in sources)
        if mnemonic in ("adc", "sbb"):
            result = max(result, state[_FLAGS])
        if mnemonic in ("xor", "sub") and operands[0] == operands[-1]:
            result = _PUBLIC
        state[_FLAGS] = result
        _write(operands[-1], result, state)

    def _execute_vector(self, operands: tuple[str, ...], state: State) -> None:
        """What is in vectors and masks is secret; so is what comes out, as number or as flags."""
        state[_FLAGS] = _SECRET
        if operands:
            stored = max((_VECTOR_BYTES.get(name[:4], 0) for name in operands), default=0)
            _write(operands[-1], _SECRET, state, stored or _WORD_BYTES)

    def _value(self, operand: str, instruction: Instruction, state: State) -> int:
        if operand.startswith("$"):
            return _PUBLIC
        if name := _register(operand):
            return state[name]
        if "(%rip)" in operand and instruction.slot is not None:
            return _code(self.program.cells.get(instruction.slot, 0))
        slot = _stack_slot(operand)
        return _SECRET if slot is None else state.get(slot, _SECRET)

    def _refused(self, instruction: Instruction, why: str) -> Refused:
        where = f"{self.function.name} at {instruction.address:x}"
        return Refused(f"{where}: «{instruction.text}» {why}")


_NAMES: dict[int, str] = {-1 - i: name for i, name in enumerate(sorted(_OUTER))}
_CODES = {name: value for value, name in _NAMES.items()}


def _code(cell: int | str) -> int:
    """Return the value that stands for a pointer to code: its address, or a name's number."""
    return _CODES.get(cell, _PUBLIC) if isinstance(cell, str) else cell


def _secret(value: int) -> int:
    return _SECRET if value == _SECRET else _PUBLIC


def _join(one: State, other: State) -> State:
    """Return what is known where two paths meet; a slot that only one has written is unknown."""
    joined: State = {}
    for key in one.keys() & other.keys():
        a, b = one[key], other[key]
        joined[key] = a if a == b else max(_secret(a), _secret(b))
    return joined


def _register(operand: str) -> str | None:
    return _FULL.get(operand[1:]) if operand.startswith("%") else None


def _stack_slot(operand: str) -> int | None:
    memory = _MEMORY.match(operand)
    if memory is None or memory[2] != "%rsp" or memory[3]:
        return None
    return int(memory[1] or "0", 16)


def _write(operand: str, value: int, state: State, count: int = _WORD_BYTES) -> None:
    """Write a register, or that many bytes of the stack: what was known of them is forgotten."""
    if name := _register(operand):
        state[name] = value
        if name == "rsp":
            state[name] = _PUBLIC
            _forget(range(-(2**32), 2**32), state)
        return
    slot = _stack_slot(operand)
    if slot is not None:
        _forget(range(slot - _WORD_BYTES + 1, slot + count), state)
        state[slot] = value


def _forget(slots: range, state: State) -> None:
    for key in [key for key in state if isinstance(key, int) and key in slots]:
        del state[key]


def _code_address(operand: str) -> int:
    return int(operand.lstrip("*").split()[0], 16)
