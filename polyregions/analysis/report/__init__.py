"""One page with everything known about the regions of a network."""

from __future__ import annotations

from polyregions.analysis.report.basics import decision_section as decision_section
from polyregions.analysis.report.make import SECTIONS as SECTIONS
from polyregions.analysis.report.make import report as report
from polyregions.analysis.report.make import reproduction_section as reproduction_section
from polyregions.analysis.report.make import section_name as section_name
from polyregions.analysis.report.page import Report as Report
from polyregions.analysis.report.page import Section as Section
from polyregions.analysis.report.page import SectionFunction as SectionFunction
