# make app    sets everything up and serves the page
# make test   sets everything up, a browser included, and runs every check
VENV   := .venv
PYTHON := $(VENV)/bin/python
PORT   ?= 7860
WEB    := tools/web
NODE   := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
BIN    := $(NODE) $(WEB)/node_modules/.bin

.PHONY: setup setup-dev browser app test lint bench presets screenshot clean

setup: $(VENV)/.app
setup-dev: $(VENV)/.dev $(WEB)/node_modules/.installed

$(VENV)/bin/python:
	python3 -m venv $(VENV)

$(VENV)/.app: requirements.txt | $(VENV)/bin/python
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/.dev: requirements.txt requirements-dev.txt | $(VENV)/bin/python
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@ $(VENV)/.app

$(WEB)/node_modules/.installed: $(WEB)/package-lock.json | $(VENV)/.dev
	cd $(WEB) && $(NODE) npm ci --loglevel error
	touch $@

browser:
	sh .ci/browser

app: setup
	$(PYTHON) app.py --port $(PORT)

lint: setup-dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(BIN)/prettier --check --log-level warn playground/ui/web $(WEB) tests/web '!**/wire.d.ts'
	$(BIN)/eslint --config $(WEB)/eslint.config.js playground/ui/web $(WEB) tests/web
	$(NODE) node $(WEB)/types.js

test: setup-dev browser lint
	$(NODE) node --disable-warning=MODULE_TYPELESS_PACKAGE_JSON --test 'tests/web/*.test.js'
	$(PYTHON) -m pytest -n 2 --dist loadfile

bench: setup-dev browser
	$(PYTHON) -m benchmarks

presets: setup
	$(PYTHON) -m presets.make

screenshot: setup-dev browser
	$(PYTHON) -m tools.screenshots

clean:
	rm -rf $(VENV)
