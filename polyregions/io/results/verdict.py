"""Verdicts as JSON, as text for people, and as VNN-COMP has them."""

from __future__ import annotations

from typing import Any

from polyregions.analysis.verification.verdict import Counterexample, Verification
from polyregions.io.models.runtime.run import FloatRun

COMPETITION = {"holds": "unsat", "violated": "sat", "unknown": "timeout"}


def verdict_as_json(found: Verification, floats: FloatRun | None) -> dict[str, Any]:
    """Plain data; rationals that are no float64 numbers also stand there as text."""
    report: dict[str, Any] = {
        "verdict": found.verdict,
        "parts": found.parts,
        "polytopes": found.polytopes,
        "done": found.done,
        "seconds": round(found.seconds, 6),
    }
    if found.reason is not None:
        report["reason"] = found.reason
    if found.notices:
        report["notices"] = list(found.notices)
    if found.counterexample is not None:
        report["counterexample"] = _example_as_json(found.counterexample, floats)
    return report


def _example_as_json(example: Counterexample, floats: FloatRun | None) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "inputs": example.point.tolist(),
        "outputs": example.values.tolist(),
        "input_set": example.case,
        "violation": example.violation,
        "inputs_are_float64": example.is_float64,
    }
    if example.final_function is not None:
        plain |= {"final_function": example.final_function, "in_front": [str(y) for y in example.outputs]}
    if not example.is_float64:
        plain["exact_inputs"] = [str(x) for x in example.inputs]
    if floats is not None:
        plain |= {"runtime": floats.runtime, "runtime_outputs": floats.outputs.tolist()}
    return plain


def verdict_as_text(found: Verification, floats: FloatRun | None) -> str:
    """A few lines."""
    lines = [f"verdict: {found.verdict}"]
    example = found.counterexample
    if example is not None:
        lines.append(f"inputs: {' '.join(map(repr, example.point.tolist()))}")
        if not example.is_float64:
            lines.append(f"exact inputs: {' '.join(map(str, example.inputs))}")
        lines.append(f"outputs: {' '.join(map(repr, example.values.tolist()))}")
    if floats is not None:
        lines.append(f"outputs by {floats.runtime}: {' '.join(map(repr, floats.outputs.tolist()))}")
    lines.append(f"parts: {found.parts}, {found.seconds:.3f} s")
    if found.reason is not None:
        lines.append(f"reason: {found.reason}")
    elif found.verdict == "unknown":
        lines.append(f"stopped after {found.done:.1%} of the search")
    return "\n".join(lines) + "\n"


def verdict_as_vnncomp(found: Verification) -> str:
    """``sat``, ``unsat`` or ``timeout``, and after ``sat`` the counterexample in float64."""
    lines = [COMPETITION[found.verdict]]
    if found.counterexample is not None:
        named = [
            f"({letter}_{i} {value!r})"
            for letter, values in (("X", found.counterexample.point), ("Y", found.counterexample.values))
            for i, value in enumerate(values.tolist())
        ]
        lines.append("(" + "\n".join(named) + ")")
    return "\n".join(lines) + "\n"
