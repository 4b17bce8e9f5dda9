"""The functions of an x86-64 program, as `objdump` shows them (AT&T syntax: the target is last)."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_HEADER = re.compile(r"^([0-9a-f]+) <(.+)>:$")
_LINE = re.compile(r"^\s*([0-9a-f]+):\s+(\S.*)$")
_SLOT = re.compile(r"# ([0-9a-f]+) <(.*)>$")
_RELOCATION = re.compile(r"^([0-9a-f]+)\s+R_X86_64_(\w+)\s+(\S+)$")
_PREFIXES = {"data16", "cs", "notrack", "rep", "bnd", "lock"}
_PUSH_BYTES = 8


@dataclass(frozen=True)
class Instruction:
    """One instruction: where, its mnemonic, its operands, and the cell of memory it names."""

    address: int
    mnemonic: str
    operands: tuple[str, ...]
    slot: int | None  # the address of a %rip-relative operand
    text: str


@dataclass(frozen=True)
class Function:
    """One function of the program."""

    name: str
    start: int
    instructions: tuple[Instruction, ...]

    @cached_property
    def index(self) -> dict[int, int]:
        """Where the instruction at an address stands."""
        return {instruction.address: i for i, instruction in enumerate(self.instructions)}

    def frame_bytes(self) -> int:
        """Return the bytes of stack that the prologue takes, probed page by page or not."""
        total, probed = 0, False
        for instruction in self.instructions:
            operands = instruction.operands
            if instruction.mnemonic.startswith("j"):
                if not probed:
                    return total
                probed = False
            elif instruction.mnemonic == "push":
                total += _PUSH_BYTES
            elif instruction.mnemonic == "sub" and operands[-1] == "%r11":
                total += int(operands[0][1:], 16)
                probed = True
            elif instruction.mnemonic == "sub" and operands[-1] == "%rsp" and not probed:
                total += int(operands[0][1:], 16)
        return total


@dataclass(frozen=True)
class Program:
    """What a file holds: functions by address, and the targets that its relocations name."""

    functions: dict[int, Function]
    cells: dict[int, int | str]  # address of a pointer: what it points to, or an outer name

    @classmethod
    def of(cls, file: Path) -> Program:
        """Disassemble a file."""
        functions = {}
        for block in _objdump(file, "-d", "--no-show-raw-insn").split("\n\n"):
            function = _function(block.strip().split("\n"))
            if function is not None:
                functions[function.start] = function
        cells = {}
        for line in _objdump(file, "-R").splitlines():
            if match := _RELOCATION.match(line):
                target = match[3].removeprefix("*ABS*+")
                name = target.split("@")[0]
                cells[int(match[1], 16)] = int(target, 16) if match[2] == "RELATIVE" else name
        return cls(functions, cells)

    def named(self, module: str, name: str) -> list[Function]:
        """Return the functions of that name in a module, by their mangled symbols."""
        part = f"{len(module)}{module}{len(name)}{name}"
        ends = re.compile(re.escape(part) + r"(17h[0-9a-f]{16}E.*|\W.*)?$")
        return [function for function in self.functions.values() if ends.search(function.name)]

    def targets(self, function: Function) -> set[int]:
        """Return the functions that a function calls, jumps to or reads the address of."""
        found = set()
        for instruction in function.instructions:
            direct = instruction.mnemonic in ("call", "jmp")
            if direct and not instruction.operands[0].startswith("*"):
                found.add(int(instruction.operands[0].split()[0], 16))
            elif instruction.slot is not None:
                cell = self.cells.get(instruction.slot, instruction.slot)
                if isinstance(cell, int):
                    found.add(cell)
        return found & self.functions.keys()


def _objdump(file: Path, *options: str) -> str:
    command = ["objdump", *options, str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    return done.stdout


def _function(lines: list[str]) -> Function | None:
    header = _HEADER.match(lines[0])
    if header is None:
        return None
    instructions = [_instruction(match) for line in lines[1:] if (match := _LINE.match(line))]
    return Function(header[2], int(header[1], 16), tuple(instructions))


def _instruction(match: re.Match[str]) -> Instruction:
    text = match[2].strip()
    slot = _SLOT.search(text)
    words = text.split("#")[0].split(None, 1)
    while words[0] in _PREFIXES and len(words) > 1:
        words = words[1].split(None, 1)
    operands = _operands(words[1]) if len(words) > 1 else ()
    address = int(match[1], 16)
    return Instruction(address, words[0], operands, slot and int(slot[1], 16), text)


def _operands(text: str) -> tuple[str, ...]:
    """Split at the commas that stand outside parentheses."""
    return tuple(part.strip() for part in re.split(r",(?![^(]*\))", text))
