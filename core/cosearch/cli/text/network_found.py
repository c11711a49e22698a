"""How a report shows the network that a study found beside its machine."""

from __future__ import annotations

from rich.text import Text

from cosearch.cli.output import Output, table
from cosearch.quantities import loss, ratio
from cosearch.study.problem import Problem
from cosearch.study.report import StudyReport
from cosearch.workload.network import Network


def network_of(problem: Problem, report: StudyReport) -> Network:
    """Return the network of the best design; the study's own where none was searched."""
    found = report.network
    return problem.network if found is None else problem.network_of(found.configuration)


def show_network(output: Output, problem: Problem, report: StudyReport) -> None:
    """Print the network found, where its accuracy comes from, and what each part is worth."""
    found = report.network
    if found is None:
        return
    output.show("")
    output.title("network", f"accuracy is {found.accuracy_is}")
    rows = [("best", found.name, f"{found.accuracy:.2f}")]
    rows.append(("baseline", found.baseline, f"{found.baseline_accuracy:.2f}"))
    output.show(table(("", "~network", ">accuracy|%"), rows))
    _show_ratios(output, report)
    _show_recombined(output, problem, report)


def _show_ratios(output: Output, report: StudyReport) -> None:
    if report.network is None or not report.network.ratios:
        return
    rows = [
        (name, *(_told(value) for value in (r.hardware, r.network, r.both)))
        for name, r in report.network.ratios.items()
    ]
    output.show("")
    output.title(
        "baseline over found", "the machine alone, the network alone, both: above 1 is better"
    )
    output.show(table(("", ">hardware only", ">network only", ">both"), rows))


def _told(value: float | None) -> str:
    return "not run" if value is None else ratio(value)


def _show_recombined(output: Output, problem: Problem, report: StudyReport) -> None:
    """Say what the networks and machines met come to, whichever trial met them."""
    pair = report.recombined
    if pair is None or report.best is None:
        return
    objective = problem.objectives[0]
    better = 1.0 - pair.loss / report.best.losses[objective.name]
    told = (
        f"  recombined: of {pair.pairs:,} pairs of machines and networks met ({pair.tried:,} "
        f"tried), the best has {loss(pair.loss, objective.unit)}"
    )
    if better <= 0:
        output.show(Text(f"{told}, no better than the best trial", style="faint"))
    else:
        output.show(
            Text(
                f"{told}, {100 * better:.1f} % better: the machine of trial {pair.machine} with "
                f"the network of trial {pair.network}",
                style="good",
            )
        )
