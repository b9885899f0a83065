"""Properties of a network: input sets, and for each what must not happen there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from polyregions.errors import DomainError, InputError
from polyregions.polyhedra.domain import Domain, check_domain
from polyregions.polyhedra.polytope import HPolytope


@dataclass(frozen=True)
class Violation:
    """Linear inequalities over inputs x and outputs y; where all of them hold, the property is violated.

    Attributes:
        rows: integer rows (m, d+c+1); each says ``row . [x, y, 1] >= 0``, or ``> 0`` where it is strict.
        strict: (m,) which rows are strict.
    """

    rows: tuple[tuple[int, ...], ...]
    strict: tuple[bool, ...]

    def holds(self, x: Sequence[Fraction], y: Sequence[Fraction]) -> bool:
        """Whether inputs x and outputs y satisfy all rows; exact."""
        point = [*x, *y, Fraction(1)]
        values = [sum(r * p for r, p in zip(row, point, strict=True) if r) for row in self.rows]
        return all(v > 0 or (v == 0 and not s) for v, s in zip(values, self.strict, strict=True))


@dataclass(frozen=True, eq=False)
class Case:
    """One input set and the violations looked for in it.

    Attributes:
        domain: the inputs x.
        violations: the property is violated where any of these holds.
    """

    domain: Domain
    violations: tuple[Violation, ...]


@dataclass(frozen=True, eq=False)
class Property:
    """What a network must not do: it holds if no case has a point of its input set in one of its violations.

    Made by `load_property` from a VNN-LIB file, or by `Property.avoid` and `Property.within`. Inequalities are closed
    unless they say otherwise: where an output may not reach 1, reaching exactly 1 is a violation.

    Attributes:
        cases: the input sets.
        n_inputs: d.
        n_outputs: c.
        name: where it came from, for messages.
        notices: what the user should know of how it was read.
    """

    cases: tuple[Case, ...]
    n_inputs: int
    n_outputs: int
    name: str = "property"
    notices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check that everything is about as many inputs and outputs.

        Raises:
            InputError: it is not.
        """
        width = self.n_inputs + self.n_outputs + 1
        for case in self.cases:
            check_domain(case.domain, f"{self.name}: input set")
            widths = {len(row) for violation in case.violations for row in violation.rows}
            if case.domain.dim != self.n_inputs or not widths <= {width}:
                raise InputError(
                    f"{self.name}: expected {self.n_inputs} inputs and {self.n_outputs} outputs everywhere"
                )

    @classmethod
    def avoid(cls, domain: Domain, *unsafe: HPolytope, name: str = "property") -> Property:
        """The outputs stay out of every one of some polytopes.

        Args:
            domain: the input set in R^d.
            unsafe: polytopes in R^c; open rows are taken as open.
            name: for messages.

        Raises:
            InputError: no polytope, or polytopes of different dimensions; DomainError: no domain.

        >>> from polyregions import Box, HPolytope
        >>> Property.avoid(Box([-1], [1]), HPolytope([[-1]], [-2]))
        <Property property: 1 input, 1 output, 1 input set, 1 violation>
        """
        check_domain(domain, "property: input set")
        n_outputs = _common_dimension(unsafe)
        violations = [
            _violation(domain.dim, polytope.exact_rows, polytope.strict.tolist()) for polytope in unsafe
        ]
        return cls((Case(domain, tuple(violations)),), domain.dim, n_outputs, name)

    @classmethod
    def within(cls, domain: Domain, safe: HPolytope, name: str = "property") -> Property:
        """The outputs stay in a polytope, whose boundary belongs to it except for open rows.

        Args:
            domain: the input set in R^d.
            safe: a polytope in R^c.
            name: for messages.

        Raises:
            InputError: it is something else; DomainError: no domain.

        >>> from polyregions import Box
        >>> Property.within(Box([-1], [1]), Box([0, 0], [1, 1]).polytope())
        <Property property: 1 input, 2 outputs, 1 input set, 4 violations>
        """
        check_domain(domain, "property: input set")
        n_outputs = _common_dimension([safe])
        violations = [
            _violation(domain.dim, [[-entry for entry in row]], [not is_open])
            for row, is_open in zip(safe.exact_rows, safe.strict.tolist(), strict=True)
        ]
        return cls((Case(domain, tuple(violations)),), domain.dim, n_outputs, name)

    def __repr__(self) -> str:
        counts = {
            "input": self.n_inputs,
            "output": self.n_outputs,
            "input set": len(self.cases),
            "violation": sum(len(case.violations) for case in self.cases),
        }
        listed = ", ".join(f"{n} {what}{'s' * (n != 1)}" for what, n in counts.items())
        return f"<Property {self.name}: {listed}>"


def _violation(dim: int, rows: Sequence[Sequence[int]], strict: Sequence[bool]) -> Violation:
    """Rows over [y, 1] as rows over [x, y, 1]."""
    return Violation(tuple((*[0] * dim, *row) for row in rows), tuple(strict))


def _common_dimension(polytopes: Sequence[HPolytope]) -> int:
    for polytope in polytopes:
        if not isinstance(polytope, HPolytope):
            raise InputError(f"property: {type(polytope).__name__}, expected an HPolytope of outputs")
    dims = sorted({polytope.dim for polytope in polytopes})
    if len(dims) != 1:
        found = " and ".join(map(str, dims)) or "no polytope"
        raise DomainError(
            f"property: polytopes of dimension {found}, expected at least one, all of one dimension"
        )
    return dims[0]
