"""What a command is about: its network and its input set."""

from __future__ import annotations

import sys
from argparse import Namespace
from math import isnan

from polyregions.domain import Box, Domain, WholeSpace
from polyregions.errors import DomainError
from polyregions.io.domains import load_domain
from polyregions.io.files import shortened
from polyregions.io.networks import load_network
from polyregions.network import Network


def problem_of(arguments: Namespace) -> tuple[Network, Domain]:
    """The network and the input set that a command names."""
    network = load_network(arguments.network)
    for notice in () if arguments.quiet else network.notices:
        print(f"note: {notice}", file=sys.stderr)
    domain = _domain(arguments, network.n_inputs)
    if domain.dim != network.n_inputs:
        where, name = arguments.domain, arguments.network
        raise DomainError(f"{where}: has {domain.dim} inputs, expected {network.n_inputs}, those of {name}")
    return network, domain


def _domain(arguments: Namespace, dim: int) -> Domain:
    if arguments.whole_space:
        return WholeSpace(dim)
    if arguments.domain is not None:
        return load_domain(arguments.domain)
    lower, upper = (
        numbers_of(text, dim, name) for text, name in zip(arguments.box, ("LO", "HI"), strict=True)
    )
    try:
        return Box(lower, upper)
    except DomainError as error:
        raise DomainError(f"--box: {error}") from None


def numbers_of(text: str, dim: int, name: str, option: str = "--box") -> list[float]:
    """A bound of each input: one number stands for all of them."""
    try:
        values = [_number(part) for part in text.split(",")]
    except ValueError:
        found = shortened(repr(text.strip()))
        raise DomainError(
            f"{option} {name} is {found}, expected a number or numbers joined by commas"
        ) from None
    if len(values) not in (1, dim):
        raise DomainError(
            f"{option} {name} has {len(values)} numbers, expected 1 or {dim}, one for each input"
        )
    return values * dim if len(values) == 1 else values


def _number(text: str) -> float:
    value = float(text)
    if isnan(value):
        raise ValueError
    return value
