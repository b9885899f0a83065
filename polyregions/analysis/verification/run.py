"""`verify`: does a network have a property? Decided with proof."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from math import isfinite
from time import monotonic
from typing import Final, TypeAlias

from polyregions.analysis.verification.attack import attack
from polyregions.analysis.verification.in_front import (
    PRECISIONS,
    Translated,
    first_violation,
    is_rational,
    translated,
    widened,
)
from polyregions.analysis.verification.points import Points
from polyregions.analysis.verification.property import Property
from polyregions.analysis.verification.race import contestant
from polyregions.analysis.verification.verdict import Counterexample, Verdict, Verification
from polyregions.analysis.verification.watched import Watched, watched
from polyregions.engine.reduction import reduce
from polyregions.errors import DomainError, InputError, InternalError, NetworkError, OptionError, expect
from polyregions.exact.numbers import Point
from polyregions.networks.germs import ExactNetwork
from polyregions.networks.network import Network
from polyregions.networks.problem import Problem, pose
from polyregions.progress import ProgressFunction, Watch

TOUCHES: Final = (
    "undecided: outputs come nearer to a threshold behind the final function than logarithms were computed"
)


def verify(
    network: Network,
    prop: Property,
    *,
    timeout: float | None = None,
    progress: ProgressFunction | None = None,
) -> Verification:
    """Whether a network has a property, with a proof or an exact counterexample.

    Args:
        network: the network, d inputs and c outputs.
        prop: the property, from `load_property`, `Property.avoid` or `Property.within`.
        timeout: seconds after which the search gives up.
        progress: called now and then with a `Progress` (`regions` counts parts); returning False stops the search.

    Returns:
        The verdict "holds" or "violated", or "unknown" if the search was stopped. Empty input sets have nothing that
        could be violated; its notices name them.

    Raises:
        InputError: no network, no property, or other numbers of inputs and outputs.
        UnsupportedError: the network ends in a Softmax or the like, and the property has no translation to the
            values in front of it.
        OptionError: a timeout that is no positive number.

    Complexity: exponential in the number of neurons at worst; the more of the input set bounds decide, the less.

    >>> from polyregions import Box, HPolytope, Network, Property
    >>> net = Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])  # |x|
    >>> verify(net, Property.avoid(Box([-1], [2]), HPolytope([[-1]], [-3]))).verdict  # |x| >= 3?
    'holds'
    >>> found = verify(net, Property.avoid(Box([-1], [2]), HPolytope([[-1]], [-2])))  # |x| >= 2?
    >>> found.verdict, found.counterexample.point.tolist()
    ('violated', [2.0])
    """
    check_question(network, prop)
    _check_timeout(timeout)
    clock = _Clock(timeout, progress, len(prop.cases))
    if network.final_function is None:
        return _decide(network, prop, clock, _exactly(prop))
    return _behind(network, prop, clock)


def _behind(network: Network, prop: Property, clock: _Clock) -> Verification:
    """A property of the outputs of a final function: in terms of the values in front of it, see `in_front`."""
    cases = translated(network, prop)
    for bits in PRECISIONS:
        found = _decide(network, widened(prop, cases, bits), clock, _nearly(cases))
        if found.counterexample is not None or found.verdict != "violated" or is_rational(cases):
            return found
    return replace(found, verdict="unknown", reason=TOUCHES)


Confirm: TypeAlias = Callable[[int, Point, tuple[Fraction, ...]], int | None]
"""Which violation of a case holds at inputs with some outputs, exactly; None for none."""


def _exactly(prop: Property) -> Confirm:
    def confirm(case: int, x: Point, outputs: tuple[Fraction, ...]) -> int:
        violations = prop.cases[case].violations
        broken = [i for i, v in enumerate(violations) if v.holds(x.coordinates, outputs)]
        if not broken:
            raise InternalError(f"the counterexample {x.approx.tolist()} is none: please report this")
        return broken[0]

    return confirm


def _nearly(cases: Sequence[Translated]) -> Confirm:
    def confirm(case: int, x: Point, outputs: tuple[Fraction, ...]) -> int | None:
        return first_violation(cases[case], x.coordinates, outputs)

    return confirm


def _decide(network: Network, prop: Property, clock: _Clock, confirm: Confirm) -> Verification:
    """Search all cases; "violated" without a counterexample if what was found is not confirmed."""
    stopped, notices = False, list(prop.notices)
    for number, case in enumerate(prop.cases):
        if not clock.goes_on(0, 0.0):
            stopped = True
            break
        watching = watched(network, case.violations)
        try:
            problem = pose(watching.network, case.domain)
        except DomainError as error:  # rows that contradict each other: there is nothing to violate
            clock.finish(0, 0, 1.0)
            notices.append(f"{prop.name}, input set {number}: {error}")
            continue
        found, is_stopped = _search(problem, watching, clock)
        if found is not None:
            example = _counterexample(network, problem, number, found, confirm)
            return clock.verification("violated", example, notices)
        stopped |= is_stopped
    return clock.verification("unknown" if stopped else "holds", None, notices)


def check_question(network: Network, prop: Property) -> None:
    """Refuse what is no network, no property, or a property of other networks.

    Raises:
        NetworkError: no network.
        InputError: no property, or other numbers of inputs and outputs.
    """
    expect(network, Network, "network", NetworkError)
    if not isinstance(prop, Property):
        raise InputError(f"property: {type(prop).__name__}, expected a Property, such as load_property gives")
    for what, found, wanted in (
        ("inputs", prop.n_inputs, network.n_inputs),
        ("outputs", prop.n_outputs, network.n_outputs),
    ):
        if found != wanted:
            raise InputError(
                f"{prop.name}: is about {found} {what}, expected {wanted}, those of {network.name}"
            )


def _check_timeout(timeout: float | None) -> None:
    if timeout is not None and not (isfinite(timeout) and timeout > 0):
        raise OptionError(f"timeout is {timeout}, expected a positive number of seconds")


class _Clock:
    """Time, progress and counts over all cases."""

    def __init__(self, timeout: float | None, progress: ProgressFunction | None, n_cases: int) -> None:
        self._start = monotonic()
        self._timeout, self._watch, self._n_cases = timeout, Watch(progress), max(1, n_cases)
        self._finished = self._parts = self._polytopes = 0
        self._done = 0.0
        self._stopped = False

    def goes_on(self, parts: int, done: float) -> bool:
        """Whether a search that has looked at some parts may go on."""
        if not self._stopped:
            late = self._timeout is not None and monotonic() - self._start > self._timeout
            fraction = (self._finished + done) / self._n_cases
            self._stopped = late or not self._watch.goes_on(self._parts + parts, fraction)
        return not self._stopped

    def finish(self, parts: int, polytopes: int, done: float) -> None:
        """The search of a case has ended."""
        self._parts, self._polytopes = self._parts + parts, self._polytopes + polytopes
        self._done, self._finished = self._done + done, self._finished + 1

    def verification(
        self, verdict: Verdict, example: Counterexample | None, notices: Sequence[str]
    ) -> Verification:
        """The answer."""
        done = 1.0 if verdict == "holds" else min(1.0, self._done / self._n_cases)
        self._watch.ends(self._parts, done)
        seconds = monotonic() - self._start
        return Verification(
            verdict, example, self._parts, self._polytopes, done, seconds, notices=tuple(notices)
        )


def _search(problem: Problem, watching: Watched, clock: _Clock) -> tuple[Point | None, bool]:
    """A violation in the coordinates u of a problem, and whether the search was stopped before its end."""
    smaller = reduce(problem).problem
    if not clock.goes_on(0, 0.0):
        return None, True
    points = Points(smaller, watching.groups, watching.strict)
    if points.is_violated(problem.solid.interior):
        return problem.solid.interior, False
    if problem.solid.hull.dim == 0:
        return None, False
    search = contestant(smaller, points)
    found = attack(points) or search.run(clock.goes_on)
    clock.finish(search.parts, search.polytopes, search.done)
    return found, found is None and not search.ended


def _counterexample(
    network: Network, problem: Problem, number: int, found: Point, confirm: Confirm
) -> Counterexample | None:
    """The same point in the inputs, checked against the property as it was given; None if it is not confirmed."""
    x = problem.solid.hull.lift(found)
    outputs = ExactNetwork(network).germ(x.coordinates).value
    if not problem.solid.contains(found):
        raise InternalError(f"the counterexample {x.approx.tolist()} is none: please report this")
    broken = confirm(number, x, tuple(outputs))
    if broken is None:
        return None
    return Counterexample(x.coordinates, tuple(outputs), number, broken, network.final_function)
