# make run: the dashboard on the shipped gallery.   make test: everything the CI checks.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test check format clean

run: .venv/run
	$(BIN)/streamlit run app.py

test: .venv/dev check
	$(BIN)/python -m pytest -q

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
	$(BIN)/python -m pip install --quiet --requirement requirements.txt --requirement requirements/dev.txt
	touch $@ .venv/run

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache
