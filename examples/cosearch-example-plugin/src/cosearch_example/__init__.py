"""What this package brings to cosearch."""

from cosearch.registry.registration import Registration, hookimpl


@hookimpl
def cosearch_hardware_models():
    return [
        Registration(
            "tinycore", "cosearch_example.hardware:TinyCore", "a row of multipliers, one SRAM"
        )
    ]


@hookimpl
def cosearch_strategies():
    return [
        Registration(
            "hill-climb", "cosearch_example.strategy:HillClimb", "steps from the best so far"
        )
    ]


@hookimpl
def cosearch_workloads():
    return [Registration("lenet5", "cosearch_example.workload:LeNet5", "LeNet-5, 32x32")]
