"""What a report says of designs that were not tried."""

from attrs import evolve

from cosearch.cli.output import Output
from cosearch.cli.text.report import Next, show_report
from cosearch.study.report import report_of

LARGE = {"workload": "gemm:M=4,N=4,K=4", "hardware": "crossbar", "mapper": "random"}


def test_a_space_too_large_to_go_through_is_said_to_be_unproven(study_of, capsys):
    study = study_of(
        **LARGE, mapper_evaluations=5, prune=True, trials=1, strategy="random", warm=False
    )
    report = report_of(study)
    assert report.hardware_gap is None
    show_report(Output(), study.problem, report, Next(""))
    assert "not proven: more than 10,000" in capsys.readouterr().out
    seen = evolve(report, facts={**report.facts, "left": {**report.facts["left"], "designs": 1}})
    show_report(Output(), study.problem, seen, Next(""))
    assert "not proven: more" not in capsys.readouterr().out
