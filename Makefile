# Every target sets up what it needs: a virtual environment in .venv, made with the
# first Python of 3.12 or newer that is found.

PY := .venv/bin/python
# As a path, so that no folder named vecevo where a script is comes before it.
INSTALL := -m pip install --quiet --config-settings editable_mode=compat --editable
CANDIDATES := python3.13 python3.12 python3.14 python3 python \
              $(HOME)/.pyenv/versions/3.1[2-9]*/bin/python
IS_GOOD := import sys; sys.exit(sys.version_info < (3, 12))
ARGS ?=

.PHONY: help run test test-long test-kill test-ray test-wheel test-browser bench gpu-program format clean
help:
	@echo "make run      evolve networks on the embedded digits (ARGS='...' adds options)"
	@echo "make test     lint, types and tests"
	@echo "make test-long    the tests that make test leaves out, as they take minutes"
	@echo "make test-kill    kill runs at random moments, and let them go on"
	@echo "make test-ray     workers, nodes and drivers that are killed, on clusters of Ray"
	@echo "make test-wheel   build the wheel, run it with nothing but what it declares"
	@echo "make test-browser the report in Chromium, which it installs on Debian"
	@echo "make bench    measure throughput; records and tables, see bench/README.md"
	@echo "make gpu-program  what XLA makes of a training step for a GPU, without one (5 GB)"
	@echo "make format   format the code"
	@echo "make clean    remove the virtual environment"

# The article's search; it repeats networks, which are trained once, and so takes a
# third of the time of one that does not. The folder carries the time, so that no run
# overwrites an earlier one.
run: .venv/.ready
	$(PY) -m vecevo.run --strategy genetic \
	  --output-dir runs/digits-$$(date +%Y%m%d-%H%M%S) $(ARGS)

test: .venv/.ready-dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m pyright
	$(PY) -m pytest -n 2 --dist worksteal

test-long: .venv/.ready-dev
	$(PY) -m pytest -n 2 --dist worksteal -m long

# One after the other: each has a cluster of two workers.
test-ray: .venv/.ready-dev
	$(PY) $(INSTALL) '.[ray]'
	$(PY) -m pytest tests/workers -m "ray or not ray"

# Slow, as it installs all dependencies anew; `make test` has the same without these.
test-kill: .venv/.ready-dev
	$(PY) -m pytest -n 2 --dist worksteal -m kill

test-wheel: .venv/.ready-dev
	$(PY) -m pytest tests/test_wheel.py --dependencies

test-browser: .venv/.ready-dev
	@command -v chromium chromium-browser >/dev/null || apt-get install --yes chromium
	$(PY) $(INSTALL) '.[browser]'
	$(PY) -m pytest tests/browser

bench: .venv/.ready-bench
	$(PY) -m bench $(ARGS)

gpu-program: .venv/.ready-bench .gpu/.ready
	$(PY) -m bench gpu_program report

format: .venv/.ready-dev
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

clean:
	rm -rf .venv .gpu

.venv/bin/python:
	@for python in $(CANDIDATES); do \
	  if "$$python" -c '$(IS_GOOD)' 2>/dev/null; then found="$$python"; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "vecevo needs Python 3.12 or newer, and none was found: install one" \
	       "(python.org, uv, pyenv) or put it on the PATH." >&2; exit 2; \
	fi; \
	"$$found" -m venv .venv

# JAX for CUDA compiles for a card that is not there; next to nothing else is needed.
.gpu/.ready: .venv/bin/python pyproject.toml
	$(PY) -m venv .gpu
	.gpu/bin/python $(INSTALL) '.[cuda]'
	@touch $@

.venv/.ready-bench: .venv/bin/python pyproject.toml
	$(PY) $(INSTALL) '.[bench]'
	@touch $@ .venv/.ready

.venv/.ready: .venv/bin/python pyproject.toml
	$(PY) $(INSTALL) .
	@touch $@

.venv/.ready-dev: .venv/bin/python pyproject.toml
	$(PY) $(INSTALL) '.[dev]'
	@touch $@ .venv/.ready
