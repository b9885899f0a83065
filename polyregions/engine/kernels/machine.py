"""The loop: classify a layer's neurons on the cell it is entered with, split by those that cut, go on below.

It returns to Python when the leaf buffer is full, when exact arithmetic has to decide, and at the end, and
goes on from exactly there when called again.
"""

from __future__ import annotations

from polyregions.engine.kernels.boxes import enclose
from polyregions.engine.kernels.cells import count_leaves, pop, prove_leaf, record_leaf, restrict, split
from polyregions.engine.kernels.codes import (
    ANSWER,
    CLASSIFY,
    CUT,
    DEPTH,
    DONE,
    EMIT,
    FULL,
    GIVEN_UP,
    GO_ON,
    KEEP_OFF,
    KEEP_ON,
    LEAF,
    MODE,
    N_FOUND,
    N_LEAVES,
    NO_ANSWER,
    ON,
    POP,
    QUESTION,
    SPLIT,
    UNDECIDED,
    UNIT,
)
from polyregions.engine.kernels.compiled import entry, kernel
from polyregions.engine.kernels.compose import enter_first_layer, enter_layer
from polyregions.engine.kernels.does_it_cut import ask, goal_of
from polyregions.engine.kernels.last_layer import count_cell
from polyregions.engine.kernels.state import ZERO, Chart, Leaves, Net, Work


@entry
def list_leaves(net: Net, chart: Chart, work: Work, leaves: Leaves, most: int) -> int:
    """Go on until one of DONE, FULL, QUESTION, LEAF; FULL also once `most` leaves were found since the last return."""
    start = work.registers[N_FOUND]
    while True:
        mode = work.registers[MODE]
        if mode == CLASSIFY:
            status = classify(net, chart, work)
        elif mode == SPLIT:
            status = split_next(net, chart, work)
        elif mode == EMIT:
            if work.registers[N_FOUND] - start >= most:
                return FULL
            status = emit(net, chart, work, leaves)
        else:
            status = take_next(net, work)
        if status != GO_ON:
            return status


@entry
def count_cells(net: Net, chart: Chart, work: Work, leaves: Leaves, most: int) -> int:
    """The same where leaves are only counted: those of the last layer are, if possible, without going to them.

    A loop of its own, for a listing need not wait until the kernels of the last layer are compiled; and written out
    again, for a shared step is handed sixty arrays each time, which costs listings a fifth of their speed.
    """
    start = work.registers[N_FOUND]
    while True:
        mode = work.registers[MODE]
        if mode == CLASSIFY:
            status = classify(net, chart, work)
        elif mode == SPLIT:
            if count_at_once(net, chart, work, leaves, most - work.registers[N_FOUND] + start):
                continue
            status = split_next(net, chart, work)
        elif mode == EMIT:
            if work.registers[N_FOUND] - start >= most:
                return FULL
            status = emit(net, chart, work, leaves)
        else:
            status = take_next(net, work)
        if status != GO_ON:
            return status


@entry
def begin(net: Net, chart: Chart, work: Work) -> None:
    """Enter the first layer with the piece's whole domain as the current cell."""
    enter_first_layer(net.widths[0], chart, work.forms)
    for c in range(len(chart.lower)):
        work.boxes.lower[0, c] = chart.lower[c]
        work.boxes.upper[0, c] = chart.upper[c]
    work.registers[DEPTH] = 0
    start_layer(work, ZERO)


@kernel
def start_layer(work: Work, layer: int) -> None:
    """Make a layer's neurons the next ones to be classified."""
    slot = work.registers[DEPTH]
    work.stack.layer[slot] = layer
    work.stack.position[slot] = 0
    work.forms.n_todo[layer] = 0
    work.registers[UNIT] = 0
    work.registers[MODE] = CLASSIFY
    work.registers[ANSWER] = NO_ANSWER


@kernel
def answer(work: Work, slot: int, layer: int, unit: int) -> int:
    """The exact answer if one was just given, else the kernels' own."""
    given: int = work.registers[ANSWER]
    if given != NO_ANSWER:
        work.registers[ANSWER] = NO_ANSWER
        return given
    row, error = work.forms.maps[layer, unit], work.forms.error[layer, unit]
    goal = goal_of(error, work.forms.size[layer, unit])
    n_rows = work.stack.n_rows[slot]
    lower, upper = work.boxes.lower[layer], work.boxes.upper[layer]
    return ask(lower, upper, work.walker, work.path, work.known, slot, n_rows, row, error, goal)


@entry
def classify(net: Net, chart: Chart, work: Work) -> int:
    """Decide every neuron of the layer on the cell it was entered with; those that cut wait for their turn."""
    slot, forms = work.registers[DEPTH], work.forms
    layer = work.stack.layer[slot]
    while work.registers[UNIT] < net.widths[layer]:
        unit = work.registers[UNIT]
        bit = net.bit[layer, unit]
        if bit >= 0:
            result = chart.fixed[unit] if layer == 0 else -1
            if result < 0:
                result = answer(work, slot, layer, unit)
            if result == UNDECIDED:
                return QUESTION
            if result == CUT:
                forms.todo[layer, forms.n_todo[layer]] = unit
                forms.n_todo[layer] += 1
            else:
                forms.bits[bit] = 1 if result == ON else 0
        work.registers[UNIT] = unit + 1
    work.registers[MODE] = SPLIT
    return GO_ON


@kernel
def split_next(net: Net, chart: Chart, work: Work) -> int:
    """Go through the layer's cutting neurons: those that cut the current cell too split it."""
    slot, forms = work.registers[DEPTH], work.forms
    layer = work.stack.layer[slot]
    while work.stack.position[slot] < forms.n_todo[layer]:
        unit = forms.todo[layer, work.stack.position[slot]]
        result = answer(work, slot, layer, unit)
        if result == UNDECIDED:
            return QUESTION
        if result == CUT:
            split(net, work, layer, unit)
            slot = work.registers[DEPTH]
        elif result in (KEEP_OFF, KEEP_ON):
            restrict(net, work, layer, unit, result == KEEP_ON)
        else:
            forms.bits[net.bit[layer, unit]] = 1 if result == ON else 0
            work.stack.position[slot] += 1
    if layer + 1 == len(net.widths):
        work.registers[MODE] = EMIT
    else:
        enter_layer(net, chart, forms, layer + 1)
        n_rows = work.stack.n_rows[slot]
        enclose(net, work.boxes, work.walker, work.path, work.known, slot, n_rows, layer + 1)
        start_layer(work, layer + 1)
    return GO_ON


@kernel
def count_at_once(net: Net, chart: Chart, work: Work, leaves: Leaves, most: int) -> bool:
    """Count the current cell's regions, at most so many, if it stands before the last layer and that can be proved."""
    slot = work.registers[DEPTH]
    layer = work.stack.layer[slot]
    if layer + 1 < len(net.widths) or work.registers[ANSWER] != NO_ANSWER:
        return False
    if work.stack.position[slot] == work.forms.n_todo[layer]:
        return False
    count = count_cell(work, chart.lower, chart.upper, most)
    if count == GIVEN_UP:
        return False
    count_leaves(net, work.forms, work.stack.share[slot], leaves, count)
    work.registers[N_LEAVES] += count
    work.registers[N_FOUND] += count
    work.registers[MODE] = POP
    return True


@kernel
def emit(net: Net, chart: Chart, work: Work, leaves: Leaves) -> int:
    """Prove the leaf and put it into the buffer."""
    at = work.registers[N_LEAVES]
    if leaves.keep and at == len(leaves.points):
        return FULL
    place = at if leaves.keep else 0
    slot = work.registers[DEPTH]
    n_rows, u = work.stack.n_rows[slot], work.stack.point[slot]
    if not prove_leaf(chart, work.walker, work.path, work.known, slot, n_rows, u, leaves.points[place]):
        return LEAF
    keep_leaf(net, work, leaves, place)
    return GO_ON


@entry
def keep_leaf(net: Net, work: Work, leaves: Leaves, place: int) -> None:
    """Record the current leaf and go on to the next cell."""
    slot = work.registers[DEPTH]
    n_rows, share = work.stack.n_rows[slot], work.stack.share[slot]
    record_leaf(net, work.forms, work.path, n_rows, share, leaves, place)
    work.registers[N_LEAVES] += 1
    work.registers[N_FOUND] += 1
    work.registers[MODE] = POP


@kernel
def take_next(net: Net, work: Work) -> int:
    """Go on with the cell that waits on top of the stack."""
    if not pop(net, work):
        return DONE
    work.registers[MODE] = SPLIT
    return GO_ON
