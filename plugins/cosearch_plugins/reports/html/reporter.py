"""The reporter of HTML pages."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from cosearch.loopnest.accelerator import SpatialAccelerator
from cosearch.mapping.fused import FusedMapping
from cosearch.reporting.reporter import Compared, Reporter
from cosearch.study.study import Study
from cosearch_plugins.reports.html.compare_page import compare_page
from cosearch_plugins.reports.html.groups_page import groups_page
from cosearch_plugins.reports.html.study_page import study_page


class HtmlReporter(Reporter):
    """One self-contained page with charts; needs plotly."""

    @classmethod
    def lacking(cls) -> str:
        """Return what to install where plotly is not."""
        return "" if find_spec("plotly") else "first: pip install 'cosearch[html]'"

    def study(self, study: Study, commands: Sequence[str]) -> str:
        """Return the page of a study."""
        return study_page(study, commands)

    def comparison(self, compared: Compared) -> str:
        """Return the page of a comparison."""
        return compare_page(compared)

    def groups(self, title: str, machine: SpatialAccelerator, found: FusedMapping) -> str:
        """Return the page of a network mapped in groups."""
        return groups_page(title, machine, found)
