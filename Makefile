# Everything here makes its own virtual environment first; python3, git and make are enough.
#   make demo       install, compile and run a real co-design (under two minutes)
#   make test       install and run the tests;  make test-all: the long halves too
#   make test-pythons   quick tests on the oldest Python with the lowest dependencies, and on all others
#   make test-examples  check the plugins of examples/ installed from wheels
#   make docs       build the site into build/site (mkdocs-material)
#   make lint       ruff and mypy
#   make audit      run-time dependencies against advisories, and against a reviewed list
#   make bench      measure what the documentation claims
VENV := .venv
PYTHON := $(VENV)/bin/python

.PHONY: demo test test-all test-pythons test-examples docs lint audit bench clean
.DEFAULT_GOAL := help

.PHONY: help
help:
	@sed -n '2,9s/^#   //p' Makefile

$(VENV)/.installed: pyproject.toml tools/environment.py
	@python3 tools/environment.py $(VENV)
	@touch $@

$(VENV)/.installed-dev: pyproject.toml tools/environment.py
	@python3 tools/environment.py $(VENV) dev
	@touch $@ $(VENV)/.installed

demo: $(VENV)/.installed
	$(VENV)/bin/cosearch warmup exact gemmini
	$(VENV)/bin/cosearch run resnet18 --hardware gemmini --strategy evolutionary --constraint 'area_mm2<=baseline' --trials 40 --seed 0

test: $(VENV)/.installed-dev
	$(PYTHON) -m pytest -n auto --dist loadfile -m "not exhaustive"

test-all: $(VENV)/.installed-dev
	$(PYTHON) -m pytest -n auto --dist loadfile

test-pythons: $(VENV)/.installed-dev
	python3 tools/pythons.py --all

test-examples: $(VENV)/.installed-dev
	python3 tools/examples.py

docs: $(VENV)/.installed-dev
	python3 tools/environment.py $(VENV) docs
	$(PYTHON) tools/cli_docs.py
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict --quiet

lint: $(VENV)/.installed-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

audit: $(VENV)/.installed-dev
	python3 tools/audit.py

bench: $(VENV)/.installed-dev
	$(PYTHON) benchmarks/kernel.py
	$(PYTHON) benchmarks/designs.py

clean:
	rm -rf $(VENV) .tools .pytest_cache .mypy_cache .ruff_cache .hypothesis
