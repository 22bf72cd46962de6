"""Reads a compiled program's text in XLA's HLO: kernels, bytes, what the host does."""

import re
from typing import NamedTuple

ITEM_BYTES = {
    **{"pred": 1, "u8": 1, "s8": 1, "u16": 2, "s16": 2, "bf16": 2, "f16": 2},
    **{"u32": 4, "s32": 4, "f32": 4, "u64": 8, "s64": 8, "f64": 8},
}
# What is no work of its own: names of what is there, and what only calls others.
NO_KERNELS = {
    *("parameter", "get-tuple-element", "tuple", "constant", "bitcast", "while"),
    *("call", "after-all", "conditional", "add-dependency", "opt-barrier"),
}
OF_THE_HOST = {"infeed", "outfeed", "send", "recv"}
PICKS = {"gather", "dynamic-slice", "dynamic-update-slice"}  # of the first operand
DONE = "-done"  # the other half of an operation that is counted where it starts


class Operation(NamedTuple):
    """One line of a computation."""

    name: str
    shape: str  # of its result
    kind: str
    operands: tuple[str, ...]  # names
    number: int | None  # of a parameter
    called: tuple[str, ...]  # computations
    origin: str  # in the program as it was written


class Kernel(NamedTuple):
    """One kernel of a step, or a copy."""

    name: str
    kind: str
    num_bytes: int  # that it reads and writes, as its shapes say
    origin: str


class Step(NamedTuple):
    """What one turn of a loop does, in order."""

    kernels: list[Kernel]
    num_conditionals: int  # before each of which the host waits for the device
    num_transfers: int  # to or from the host

    @property
    def num_bytes(self) -> int:
        return sum(kernel.num_bytes for kernel in self.kernels)


def read_computations(text: str) -> dict[str, list[Operation]]:
    """Returns the operations of every computation, by its name."""
    computations, operations = {}, None
    for line in text.splitlines():
        header = re.match(r"^(?:ENTRY )?%?([\w.\-]+) .*\{$", line)
        if header:
            operations = computations.setdefault(header[1], [])
        elif line.startswith("}"):
            operations = None
        elif operations is not None and (operation := _read_operation(line)):
            operations.append(operation)
    return computations


def _read_operation(line: str) -> Operation | None:
    found = re.match(
        r"\s+(?:ROOT )?%?([\w.\-]+) = (\(.*?\)|\S+) ([\w\-]+)\((.*)$", line
    )
    if found is None:
        return None
    name, shape, kind, rest = found.groups()
    called = re.findall(r"(?:to_apply|body|calls)=%?([\w.\-]+)", rest)
    branches = re.search(r"branch_computations=\{([^}]*)\}", rest)
    if branches:
        called += [branch.strip().lstrip("%") for branch in branches[1].split(",")]
    called += re.findall(r"(?:true|false)_computation=%?([\w.\-]+)", rest)
    origin = re.search(r'op_name="([^"]+)"', rest)
    operands = re.findall(r"%([\w.\-]+)", rest.partition(")")[0])
    return Operation(
        *(name, shape, kind, tuple(operands)),
        number=int(rest.partition(")")[0]) if kind == "parameter" else None,
        called=tuple(called),
        origin=origin[1] if origin else "",
    )


def num_bytes(shape: str) -> int:
    """Bytes of an array's shape, or of all in a tuple of them."""
    total = 0
    for kind, sizes in re.findall(r"\b([a-z]+\d*)\[([\d,]*)\]", shape):
        size = ITEM_BYTES.get(kind, 0)
        for length in filter(None, sizes.split(",")):
            size *= int(length)
        total += size
    return total


def read_step(text: str, scope: str) -> Step:
    """Returns what a turn of the innermost loop does that was written in a scope.

    Args:
      text: of the program.
      scope: a `jax.named_scope`, in which the body of the loop was written.

    Raises:
      ValueError: for a program that has no such loop.
    """
    computations = read_computations(text)
    bodies = {
        operation.called[-1]: 0
        for operations in computations.values()
        for operation in operations
        if operation.kind == "while"
    }
    for body in bodies:
        kernels = read_body(computations, body).kernels
        bodies[body] = sum(f"/{scope}/" in kernel.origin for kernel in kernels)
    if not any(bodies.values()):
        raise ValueError(f"there is no loop with anything of {scope!r} in it.")
    return read_body(computations, max(bodies, key=bodies.__getitem__))


def read_body(computations: dict[str, list[Operation]], name: str) -> Step:
    """Returns what a computation does, and those that it calls; of branches the most.

    The turns of loops within it are not counted.
    """
    step = Step([], 0, 0)
    shapes = {}
    for operation in computations[name]:
        shapes[operation.name] = operation.shape
        if operation.kind == "call":
            inner = read_body(computations, operation.called[0])
            step = _add(step, inner)
        elif operation.kind == "conditional":
            branches = [read_body(computations, name) for name in operation.called]
            most = max(branches, key=lambda branch: branch.num_bytes)
            step = _add(step, most)._replace(
                num_conditionals=step.num_conditionals + most.num_conditionals + 1
            )
        elif operation.kind not in NO_KERNELS and not operation.kind.endswith(DONE):
            step = _add(step, _one(computations, operation, shapes))
    return step


def _add(step: Step, other: Step) -> Step:
    return Step(
        step.kernels + other.kernels,
        step.num_conditionals + other.num_conditionals,
        step.num_transfers + other.num_transfers,
    )


def _one(
    computations: dict[str, list[Operation]],
    operation: Operation,
    shapes: dict[str, str],
) -> Step:
    kind = operation.kind.removesuffix("-start")
    sizes = [num_bytes(shapes.get(operand, "")) for operand in operation.operands]
    result = num_bytes(operation.shape)
    fused = computations.get(operation.called[0], []) if operation.called else []
    if kind == "fusion":
        sizes = [_read_of(fused, place, size) for place, size in enumerate(sizes)]
        result = _written_of(fused, result)
    kernel = Kernel(operation.name, kind, sum(sizes) + result, operation.origin)
    is_of_host = kind in OF_THE_HOST or "S(5)" in operation.shape  # the host's memory
    return Step([kernel], 0, int(is_of_host))


def _read_of(fused: list[Operation], place: int, size: int) -> int:
    """Bytes that a fusion reads of an operand: of a table only what it picks."""
    (name,) = (
        operation.name
        for operation in fused
        if operation.kind == "parameter" and operation.number == place
    )
    users = [operation for operation in fused if name in operation.operands]
    picked = 0
    for user in users:
        if user.operands[0] != name or user.kind not in PICKS:
            return size
        picked += num_bytes(user.shape) if user.kind != "dynamic-update-slice" else 0
    return min(size, picked)


def _written_of(fused: list[Operation], size: int) -> int:
    """Bytes that a fusion writes: of what it updates in place only the new part."""
    shapes = {operation.name: operation.shape for operation in fused}
    for operation in fused:
        if operation.kind == "dynamic-update-slice":
            size -= num_bytes(operation.shape)
            size += num_bytes(shapes[operation.operands[1]])
    return size
