PYTHON ?= python3
PORT ?= 8000
NAME ?=
SAVE ?=
BIN := .venv/bin
# TORCH=cpu takes torch from its own index of builds for the CPU.
export TORCH
# One worker a core, at most eight.
SIDE_BY_SIDE := --numprocesses auto --maxprocesses 8 --dist
# In the order of the command line: left to itself, xdist keeps the groups of one test, which are
# the longest, for the end, and several of them for one worker while the others are done.
IN_GROUPS := $(SIDE_BY_SIDE) loadgroup --no-loadscope-reorder

.PHONY: help
help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "Variables: PYTHON=python3.12, TORCH=cpu (torch without CUDA), PORT=8000, NAME=hero, SAVE=--save"

.PHONY: book
book: install  ## execute the notebooks and build the site
	@$(BIN)/python book/_tools/build.py

.PHONY: serve
serve:  ## look at the site: http://localhost:8000
	@$(PYTHON) -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

.PHONY: test
test: install-tests  ## install and run everything that checks the project
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest $(IN_GROUPS) tests/notebooks tests/unit
	VAEUTIL_PROFILE=smoke OMP_NUM_THREADS=1 $(BIN)/python -m pytest $(SIDE_BY_SIDE) loadscope \
		--nbval-lax --nbval-cell-timeout=300 notebooks
	$(BIN)/python book/_tools/build.py
	$(BIN)/python -m pytest $(IN_GROUPS) tests/browser

.PHONY: coverage
coverage: install-tests  ## which lines the unit tests run; at least 95 % of them
	@mkdir -p _build/coverage
	$(BIN)/python -m pytest $(IN_GROUPS) --cov --cov-context=test --cov-report= \
		--junitxml=_build/coverage/tests.xml --ignore=tests/unit/test_museum.py tests/unit
	@echo "Not measured, as they need CUDA:"
	@grep -rn --include='*.py' '# CUDA only' vaeutil
	$(BIN)/coverage report

.PHONY: mutants
mutants: install-tests  ## whether the unit tests notice a changed program, after make coverage
	@$(PYTHON) book/_tools/install.py requirements.txt tests/mutants-requirements.txt
	$(BIN)/python tests/mutants.py

.PHONY: format
format: install-tests  ## mend the layout of the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python book/_tools/strip.py

.PHONY: bench
bench: install-tests  ## measure speed, against baselines and targets
	OMP_WAIT_POLICY=ACTIVE $(BIN)/python -m vaeutil bench training quality $(SAVE)
	$(BIN)/python -m vaeutil bench evaluation $(SAVE)
	$(BIN)/python tests/bench_page.py $(SAVE)
	$(BIN)/python tests/bench_build.py $(SAVE)

.PHONY: reproduce
reproduce: install  ## run an experiment again: make reproduce NAME=hero
	$(BIN)/python -m vaeutil reproduce $(NAME)

.PHONY: stamp
stamp: install  ## write the repository's address into the notebooks
	$(BIN)/python book/_tools/stamp.py

.PHONY: clean
clean:  ## remove the site and the executed notebooks
	rm -rf $(addprefix _build/,html .doctrees executed jupyter_execute site.sha256)

.PHONY: install install-tests
install:
	@$(PYTHON) book/_tools/install.py requirements.txt

install-tests:
	@$(PYTHON) book/_tools/install.py requirements.txt tests/requirements.txt
