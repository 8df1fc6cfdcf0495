# make app    sets everything up and serves the page
# make test   sets everything up, a browser included, and runs every check
VENV   := .venv
PYTHON := $(VENV)/bin/python
PORT   ?= 7860

.PHONY: setup setup-dev browser app test lint bench presets screenshot clean

setup: $(VENV)/.app
setup-dev: $(VENV)/.dev

$(VENV)/bin/python:
	python3 -m venv $(VENV)

$(VENV)/.app: requirements.txt | $(VENV)/bin/python
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt | $(VENV)/bin/python
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@ $(VENV)/.app

browser:
	sh .ci/browser

app: setup
	$(PYTHON) app.py --port $(PORT)

lint: setup-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

test: setup-dev browser lint
	$(PYTHON) -m pytest -n 2 --dist loadfile

bench: setup-dev browser
	$(PYTHON) -m benchmarks

presets: setup
	$(PYTHON) -m presets.make

screenshot: setup-dev browser
	$(PYTHON) -m tests.browser.screenshot

clean:
	rm -rf $(VENV)
