"""What a command is about: its network and its input set."""

from __future__ import annotations

import re
import sys
from argparse import Namespace
from fractions import Fraction
from math import isnan
from typing import Final

from polyregions.errors import DomainError, OptionError, UnsupportedError, visible
from polyregions.io.files import shortened
from polyregions.io.models.load import load_network
from polyregions.io.specs.load import load_domains
from polyregions.networks.network import Network
from polyregions.polyhedra.domain import Box, Domain, WholeSpace
from polyregions.progress import stage

_EXACT: Final = re.compile(r"[+-]?[0-9]{1,1000}(/0*[1-9][0-9]{0,999})?")


def network_of(arguments: Namespace) -> Network:
    """The network that a command names, with a note on stderr of what was taken off it."""
    with stage("reading the network"):
        network = load_network(arguments.network, output=arguments.network_output)
    for notice in () if arguments.quiet else network.notices:
        print(visible(f"note: {notice}"), file=sys.stderr)
    return network.without_final_function() if getattr(arguments, "logits", False) else network


def problem_of(arguments: Namespace, network: Network | None = None) -> tuple[Network, Domain]:
    """The network and the input set that a command names; the network may be there already.

    Raises:
        DomainError: the input set is of another dimension than the network's input.
    """
    network, domains = problems_of(arguments, network)
    if len(domains) > 1:
        raise UnsupportedError(
            f"{arguments.domain}: the inputs form {len(domains)} different sets; choose one with --domain-set 0 to "
            f"{len(domains) - 1} (count and enumerate take all of them)"
        )
    return network, domains[0]


def problems_of(arguments: Namespace, network: Network | None = None) -> tuple[Network, list[Domain]]:
    """The network and all input sets that a command names: those of its file, or the one chosen of them.

    Raises:
        DomainError: the input sets are of another dimension than the network's input.
        OptionError: a choice among sets that are not there.
    """
    network = network_of(arguments) if network is None else network
    with stage("reading the input set"):
        domains = _chosen(arguments, _domains(arguments, network.n_inputs))
    for domain in domains:
        if domain.dim != network.n_inputs:
            where, name = arguments.domain, arguments.network
            raise DomainError(
                f"{where}: has {domain.dim} inputs, expected {network.n_inputs}, those of {name}"
            )
    return network, domains


def _chosen(arguments: Namespace, domains: list[Domain]) -> list[Domain]:
    number = arguments.domain_set
    if number is None:
        return domains
    if arguments.domain is None:
        raise OptionError("--domain-set: only with --domain FILE")
    if number >= len(domains):
        raise OptionError(
            f"--domain-set {number}: {arguments.domain} has {len(domains)}, the first is number 0"
        )
    return [domains[number]]


def _domains(arguments: Namespace, dim: int) -> list[Domain]:
    if arguments.whole_space:
        return [WholeSpace(dim)]
    if arguments.domain is not None:
        return [*load_domains(arguments.domain)]
    ends = zip(arguments.box, ("--box LO", "--box HI"), strict=True)
    lower, upper = (numbers_of(text, dim, name) for text, name in ends)
    try:
        return [Box(lower, upper)]
    except DomainError as error:
        raise DomainError(f"--box: {error}") from None


def numbers_of(text: str, dim: int, name: str) -> list[float | Fraction]:
    """The value of an option that is a bound of each input, or a point: one number stands for all of them.

    Decimals are the nearest float64, as they are in Python; integers and quotients such as 1/3 are exact.

    Raises:
        DomainError: other text, or numbers that are neither one nor one for each input.
    """
    try:
        values = [_number(part) for part in text.split(",")]
    except ValueError:
        found = shortened(repr(text.strip()))
        raise DomainError(f"{name} is {found}, expected a number or numbers joined by commas") from None
    if len(values) not in (1, dim):
        raise DomainError(f"{name} has {len(values)} numbers, expected 1 or {dim}, one for each input")
    return values * dim if len(values) == 1 else values


def _number(text: str) -> float | Fraction:
    if _EXACT.fullmatch(text.strip()):
        return Fraction(text.strip())
    value = float(text)
    if isnan(value):
        raise ValueError
    return value
