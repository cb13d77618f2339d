# make results/report.html        what the run finds: all figures, tables and claims, in one page
# make results/explorer.html      each face, and the faces nearest to it by layer
# make results/figures/fig4.pdf   any target of the workflow, with all that it needs
# make faces FOLDER=/data/mine    a config for pictures of your own: config/mine.yaml
# make CONFIG=config/mine.yaml results/mine/figures/fig4.pdf   a target of that config
# make check CONFIG=my.yaml       what is wrong or missing in a config
# make test                       the whole test suite
# make env                        the environment alone (GPU=1 for a CUDA machine)
# make docs                       the documentation site, in docs/_build/html

PYTHON ?= python3
BIN := .venv/bin
ENV := .venv/.up-to-date$(if $(GPU),-gpu)
# uv is faster, where it is at hand. pip always works, also where uv does not find a package.
UV := $(shell command -v uv)
INSTALL = install() { $(if $(UV),$(UV) pip install -q --python $(BIN)/python "$$@" ||) \
  $(BIN)/python -m pip install --disable-pip-version-check -q "$$@"; }; install

help:
	@sed -n 's/^# make/make/p' Makefile

# A mistake in a config is told before Snakemake reads it, with its line.
results/%: $(ENV) FORCE
	@$(if $(CONFIG),$(BIN)/facestages check "$(CONFIG)" > /dev/null)
	@PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores all \
	  $(if $(CONFIG),--configfile "$(CONFIG)") -- "$@"

faces: $(ENV)
	@test -n "$(FOLDER)" || { echo "Which? make faces FOLDER=/path/to/pictures" >&2; exit 1; }
	@$(BIN)/facestages new "$(FOLDER)"

check: $(ENV)
	@$(BIN)/facestages check "$(or $(CONFIG),config/config.yaml)"

env: $(ENV)

$(ENV): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)) \
	  and "facestages needs Python 3.11 or 3.12, not " + sys.version.split()[0] + \
	  ". Name one with: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv --clear .venv
ifdef GPU
	grep -v '^tensorflow-cpu==' requirements.txt > .venv/requirements.txt
	$(INSTALL) -r .venv/requirements.txt "$$(sed -n 's/^gpu = \["\(.*\)"\]/\1/p' pyproject.toml)"
else
	$(INSTALL) -r requirements.txt
endif
	$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps -e .
# A folder that is called as the package, such as a clone, must not be taken for it.
	@echo "$(CURDIR)/workflow/scripts" > "$$($(BIN)/python -c \
	  'import sysconfig; print(sysconfig.get_path("purelib"))')/facestages.pth"
	@rm -f .venv/.up-to-date* && touch $@
	@echo "The environment is ready. To use it by hand: . .venv/bin/activate"

test: $(ENV)
	@PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores all --quiet -- \
	  resources/assets/headmodel resources/assets/mini_xception \
	  resources/assets/face_detector resources/assets/orl resources/assets/efficientnet_lite0 \
	  resources/assets/axe
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target \
	  test-workflow test-library test-faults test-calibration

# Two of these at a time, the longest first. The library has one thread: on a busy processor, threads
# that wait for each other take ten times as long.
test-%: export NUMBA_NUM_THREADS = 1
test-%: export OMP_NUM_THREADS = 1

test-workflow: $(ENV)
	$(BIN)/python -m pytest tests/workflow

test-library: $(ENV)
	$(BIN)/python -m pytest tests/unit
	$(BIN)/python -m pytest tests/torch  # TensorFlow and torch never in one process

# Broken files, full disks, killed jobs, a cluster.
test-faults: $(ENV)
	$(BIN)/python -m pytest tests/faults tests/cluster

# Whether intervals and p-values keep what they promise.
test-calibration: $(ENV)
	$(BIN)/python -m pytest tests/calibration

# What CI runs after the tests.
lint: $(ENV)
	$(BIN)/ruff check --no-cache .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

# The documentation site, docs/_build/html/index.html; a warning is an error.
docs: $(ENV) .venv/.docs-up-to-date
	$(BIN)/python -m sphinx -q -E -W --keep-going -d docs/_build/doctrees docs docs/_build/html

.venv/.docs-up-to-date: $(ENV) docs/requirements.txt
	$(BIN)/python -m pip install --disable-pip-version-check -q -r docs/requirements.txt
	@touch $@

LAYERS := workflow/scripts/facestages/layers.json

# Files that are generated from others: the layers of the built-in networks, schema and
# config/README.md, environment files. TensorFlow and torch never in one process.
generated: $(ENV)
	@PATH="$(CURDIR)/$(BIN):$$PATH" snakemake --cores 1 --quiet -- resources/assets/mini_xception
	for framework in keras torch numpy; do \
	  PYTHONPATH=workflow/scripts $(BIN)/python -m facestages.networks.listing \
	    $$framework $(LAYERS) resources/assets || exit 1; done
	PYTHONPATH=workflow/scripts $(BIN)/python -m facestages.generated .

# A new requirements.txt from the versions in pyproject.toml.
lock:
	$(PYTHON) -m venv --clear .venv-lock
	.venv-lock/bin/python -m pip install --disable-pip-version-check -q -e '.[cpu,test]'
	.venv-lock/bin/python -m pip list --format=freeze --exclude-editable \
	  --exclude pip --exclude setuptools | sed 's/+cpu$$//; s/_/-/g' > requirements.txt
	rm -rf .venv-lock

# Times and memory against what a user would write, as a table: OUT.md and OUT.csv. It takes half an
# hour and 20 GB of disk; QUICK=1 tries it at small sizes, PARTS="geometry growth" runs some parts.
bench: $(ENV)
	$(BIN)/python -m bench $(if $(QUICK),--quick) --threads $(THREADS) --out $(OUT) $(PARTS)

OUT ?= results/bench
THREADS ?= 2

.PHONY: FORCE help env faces check test test-workflow test-library test-faults test-calibration lint docs generated lock bench
FORCE:
