# make run        the dashboard on the shipped gallery
# make test       everything the CI checks: style, types and all tests
# make test-fast  the tests that one runs all day
# make coverage   which lines of ganlib/ and pages/ the tests run, without the browser's
PYTHON ?= python3
BIN := .venv/bin
# Whole files to one worker: what their tests share is built once.
PYTEST := $(BIN)/python -m pytest -q -n 2 --dist loadfile

.PHONY: run test test-fast coverage check format clean

run: .venv/run
	$(BIN)/python -m ganlib dashboard

test: .venv/dev check
	$(PYTEST)

test-fast: .venv/dev
	$(PYTEST) -m "not slow and not browser"

coverage: .venv/dev
	$(PYTEST) -m "not browser" --cov --cov-report=term

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Each marker is newer than the requirements it installed, so that a second call starts at once.
.venv/run: requirements.txt $(wildcard requirements/*.txt)
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	touch $@

.venv/dev: requirements.txt $(wildcard requirements/*.txt)
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --requirement requirements.txt --requirement requirements/dev.txt --requirement requirements/onnx.txt
	touch $@ .venv/run

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache
