"""`check`: the checker of certificates, and whether the input set is the one that is meant."""

from __future__ import annotations

from polyregions.certificates import checker
from polyregions.certificates.certificate import Certificate, InputSet
from polyregions.certificates.checker import Verdict
from polyregions.certificates.input_sets import domain_of, input_set, same_set
from polyregions.errors import InputError, NetworkError, expect
from polyregions.networks.network import Network
from polyregions.polyhedra.domain import Domain, check_domain


def check(certificate: Certificate, network: Network, domain: Domain | None = None) -> Verdict:
    """Whether a certificate proves that it lists all regions of a network on its input set, and no others.

    Args:
        certificate: from `certify` or `load_certificate`; nothing in it is believed.
        network: the network that is meant.
        domain: the input set that is meant; the verdict is no if the certificate is for another one, however the two
            are written. Open rows count as closed. None to take the certificate's, which the verdict names in full.

    Raises:
        DomainError: the input set given is none, or is empty.

    Complexity: one product of integer matrices for each cell and layer, one small system for each refusal.

    >>> from polyregions import Box, Network, certify, enumerate_regions
    >>> net = Network.from_layers([([[1], [-1]], [0, 0]), ([[1, 1]], [0])])
    >>> proof = certify(enumerate_regions(net, Box([-1], [0.5])))
    >>> check(proof, net, Box([-1], [0.5])).regions
    2
    >>> check(proof, net, Box([-1], [1])).reason
    'another input set: found the one in R^1 where -1.0 <= x0 <= 0.5, expected the one in R^1 where -1.0 <= x0 <= 1.0'
    """
    expect(certificate, Certificate, "certificate")
    expect(network, Network, "network", NetworkError)
    if domain is not None:
        check_domain(domain, "input set")
    verdict = checker.check(certificate, network)
    if domain is None or not verdict or _is_meant(certificate.input_set, domain):
        return verdict
    return Verdict(False, 0, another_set(verdict.input_set, domain))


def _is_meant(stored: InputSet, domain: Domain) -> bool:
    """Whether a certificate's input set is a domain: by the same numbers, which is most often so, or as a set."""
    try:
        if input_set(domain).same_as(stored):
            return True
    except InputError:  # a slice of rationals
        pass
    return same_set(domain_of(stored), domain)


def another_set(found: str, expected: Domain) -> str:
    """The reason of a no."""
    return f"another input set: found the one {found}, expected the one {described(expected)}"


def described(domain: Domain) -> str:
    """An input set in full, as a verdict names it."""
    try:
        return str(input_set(domain))
    except InputError:  # a slice of rationals, which certificates cannot hold
        return repr(domain)
