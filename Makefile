# Two commands do everything on a machine with Python 3.11, a C++ compiler and make:
#   make demo              train on real MR images, score, and write a report to open in a browser
#   make demo DATA=folder  the same on your own images
#   make test              lint, types and tests
# For pages:
#   make browser-check     the tests of pages alone; fails where there is no Chromium to see them in
#   make docs              the site, in build/site; a broken link fails
# For a release:
#   make wheel             the sdist, and from it a wheel for any Python, in dist/
#   make wheel-check       the same, installed into a fresh environment away from here and used
# For kernels:
#   make cuda-check        compile them for every architecture; fail where one got worse (needs nvcc)
#   make cuda-baseline     accept what they are now, and write docs/cuda_kernels.md
#   make mutation-check    seed faults; fail where the tests do not see one (STEMS=ssim for some)
#   make gpu-check         on a machine with a GPU: their tests and times on it
#   make roofline          count their bytes and operations, and write docs/roofline.md
#   make sanitize          their tests under address, undefined behaviour and thread sanitizers
PYTHON ?= python3
DATA ?=
OUT ?= runs/demo
SHORT ?=
STEMS ?=

BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --constraint constraints.txt
KERNELS := coils consistency image_consistency instance_norm masking metrics ssim
JOBS := classical inference loader nufft sampling training
NATIVE := CMakeLists.txt setup.py $(shell find csrc -type f)
CPP := $(shell find csrc tests -name '*.cpp' -o -name '*.h' -o -name '*.cu')

.PHONY: demo test browser-check lint emulator cuda-check cuda-baseline mutation-check sanitize \
  gpu-check roofline performance docs wheel wheel-check clean

demo: .venv/demo .venv/native
	$(BIN)/mrirecon demo --out $(OUT) $(if $(DATA),--data "$(DATA)") $(if $(SHORT),--short)

test: lint emulator
	$(BIN)/python -m pytest

browser-check: .venv/test .venv/native
	$(BIN)/python -m pytest -m requires_browser

lint: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/clang-format --dry-run -Werror $(CPP)
	$(BIN)/mypy

emulator: .venv/test .venv/native
	@PATH="$(CURDIR)/$(BIN):$$PATH" cmake -S . -B build/cmake -DMRIRECON_EMULATOR=ON >build/cmake.log \
	  || { cat build/cmake.log; exit 1; }
	@PATH="$(CURDIR)/$(BIN):$$PATH" cmake --build build/cmake

cuda-check: .venv/test
	@PYTHONPATH=tools $(BIN)/python -m cuda_check

cuda-baseline: .venv/test
	@PYTHONPATH=tools $(BIN)/python -m cuda_check --update

mutation-check: emulator
	@PATH="$(CURDIR)/$(BIN):$$PATH" PYTHONPATH=tools $(BIN)/python -m mutation $(STEMS)

sanitize: .venv/test
	@PATH="$(CURDIR)/$(BIN):$$PATH" PYTHONPATH=tools $(BIN)/python -m sanitize

gpu-check: .venv/test
	@PYTHONPATH=tools $(BIN)/python -m gpu_check

roofline: .venv/test
	@PYTHONPATH=tools $(BIN)/python -m roofline

# A process for each suite, so that what one compiles and allocates does not bear on the next.
performance: .venv/peers
	for suite in $(KERNELS); do \
	  $(BIN)/mrirecon bench $$suite --threads 1 --threads 2 --out benchmarks/results || exit 1; done
	for suite in $(JOBS); do \
	  $(BIN)/mrirecon bench $$suite --threads 2 --out benchmarks/results || exit 1; done
	@PYTHONPATH=tools $(BIN)/python -m performance

docs: .venv/test
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

wheel: .venv/test
	@rm -rf build/wheel dist/mrirecon_torch-* && mkdir -p build dist
	@{ $(BIN)/python -m build --no-isolation --outdir build/wheel . \
	  && PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/auditwheel repair --exclude libtorch_cpu.so \
	    --exclude libc10.so --wheel-dir dist build/wheel/*.whl; } >build/wheel.log 2>&1 \
	  || { tail -50 build/wheel.log; exit 1; }
	@mv build/wheel/*.tar.gz dist && ls -sh dist

wheel-check: wheel
	@PYTHONPATH=tools $(BIN)/python -m wheel_check

clean:
	rm -rf .venv build mrirecon/_native.so *.egg-info

.venv/base: constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) torch setuptools wheel cmake ninja
	@touch $@

.venv/native: .venv/base $(NATIVE) mrirecon/version.py
	$(PIP) --no-build-isolation --no-deps --editable .
	@touch $@

.venv/demo: .venv/native pyproject.toml
	$(PIP) --no-build-isolation --editable ".[demo]"
	@touch $@ .venv/native

.venv/test: .venv/native pyproject.toml
	$(PIP) --no-build-isolation --editable ".[demo,dev,docs]"
	@touch $@ .venv/native .venv/demo

.venv/peers: .venv/test benchmarks/requirements.txt
	$(PIP) -r benchmarks/requirements.txt
	@touch $@
