"""`cosearch warmup`: what is compiled for which names."""

import pytest

from cosearch.cli import warmup
from cosearch.errors import UnknownNameError
from cosearch.hooks.discovery import load_registry


def addresses(*names):
    return warmup.addresses_of(load_registry(third_party=False), list(names))


def test_the_kernel_is_always_among_it_and_a_mapper_adds_its_own():
    assert addresses("simba") == [warmup.KERNEL]
    kernel, *own = addresses("exact")
    assert kernel == warmup.KERNEL
    assert own
    assert all(address.startswith("cosearch_plugins.mappers.exact") for address in own)


def test_without_names_it_is_everything():
    everything = addresses()
    assert set(addresses("exact")) | set(addresses("vta")) <= set(everything)
    assert len(set(everything)) == len(everything)
    assert warmup.SAMPLING in everything


def test_every_address_leads_to_a_part_with_entries():
    from cosearch.compiling.parts import found

    assert all(found(address).entries for address in addresses())


def test_an_unknown_name_suggests_others():
    with pytest.raises(UnknownNameError, match="mapper or hardware model 'exakt'") as caught:
        addresses("exakt")
    assert "exact" in caught.value.hint


def test_the_command_says_when_all_is_ready(cosearch, monkeypatch):
    from cosearch.compiling import parts

    monkeypatch.setattr(parts, "prepare", lambda *given: float(len(given)))
    result = cosearch("warmup", "simba")
    assert result.code == 0
    assert "all compiled code is ready" in result.out
