"""Reading untrusted XML: well-formed, without a document type (so without entities), names without their namespace."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from polyregions.errors import FormatError
from polyregions.io.files import shortened


class _NoDoctype(TreeBuilder):
    """Builds the tree of a document that declares no type."""

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        """Refuse it: entities could be declared there."""
        raise FormatError(f"declares a document type ({shortened(name)})")


def read_xml(data: bytes, where: str, root: str) -> Element:
    """The root element of a document.

    Raises:
        FormatError: not XML, a document type declaration, or another root.
    """
    parser: Any = XMLParser(target=_NoDoctype())
    try:
        parser.feed(data)
        element: Element = parser.close()
    except FormatError as error:
        raise FormatError(f"{where}: {error}") from None
    except (ParseError, ValueError, LookupError) as error:
        raise FormatError(f"{where}: damaged XML ({error})") from None
    if tag(element) != root:
        raise FormatError(f"{where}: <{shortened(tag(element))}>, expected <{root}>")
    return element


def tag(element: Element) -> str:
    """The name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


def attribute(element: Element, name: str, where: str) -> str:
    """An attribute that has to be there.

    Raises:
        FormatError: it is not.
    """
    value = element.get(name)
    if value is None:
        raise FormatError(f"{where}: a <{tag(element)}> without {name}")
    return value


def only_child(element: Element, name: str, where: str) -> Element:
    """The one child of a name.

    Raises:
        FormatError: there is none, or several.
    """
    found = [child for child in element if tag(child) == name]
    if len(found) != 1:
        raise FormatError(f"{where}: {len(found)} <{name}> in <{tag(element)}>, expected 1")
    return found[0]
