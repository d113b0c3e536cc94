# `make train` is the tutorial's program; ARGS goes to whatever runs: make train ARGS="--network lenet-3x3".
ARGS ?=
CARGO_FLAGS ?=
TARGET_DIR := $(abspath $(or $(CARGO_TARGET_DIR),target))
DANLU := $(TARGET_DIR)/release/danlu
# Python leaves no __pycache__ in the tree.
export PYTHONDONTWRITEBYTECODE := 1
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

.PHONY: train test browser lint build setup bench bench-children bench-dashboard bench-nas bench-samplers bench-search \
	bench-trials lenet-table nas-table presets parity exports accuracy terminal tensorboard optuna kill-study

train: setup
	cargo run --release $(CARGO_FLAGS) -p danlu -- train $(ARGS)

test: setup
	cargo test $(CARGO_FLAGS) --workspace $(ARGS)

# The page in a headless Chromium, which is installed where apt-get can; pictures of it are left in
# $(TARGET_DIR)/tmp/screenshots and screenshots-search.
browser: setup
	@scripts/setup.sh chromedriver
	cargo test $(CARGO_FLAGS) --workspace --features danlu/browser-tests --test browser $(ARGS)

lint:
	cargo fmt --all --check
	cargo clippy $(CARGO_FLAGS) --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc $(CARGO_FLAGS) --no-deps --workspace

build: setup
	cargo build --release $(CARGO_FLAGS) -p danlu

# The table of real trainings that `make bench-samplers` looks up; 576 of them, once.
lenet-table: build
	@python3 bench/lenet_table.py --danlu $(DANLU) --work $(TARGET_DIR)/lenet-table $(ARGS)

# The table of real trainings that `make bench-nas` looks up: 2,304 networks with three seeds each, once; in parts, so that it can be
# ended and goes on.
nas-table: build
	cargo build --release --quiet $(CARGO_FLAGS) -p danlu --example nas_table
	@python3 bench/nas_table.py --danlu $(DANLU) --program $(TARGET_DIR)/release/examples/nas_table \
		--work $(TARGET_DIR)/nas-table $(ARGS)

# Architecture searches against each other and against chance on that table; needs no PyTorch.
bench-nas:
	cargo build --release --quiet $(CARGO_FLAGS) -p search --example studies
	@python3 bench/nas.py --studies $(TARGET_DIR)/release/examples/studies --work $(TARGET_DIR)/bench-nas $(ARGS)

# The search of Zoph & Le with controller, evolution and chance, 40 minutes each and the best trained again: hours, on a quiet
# machine; it goes on where it was ended (--minutes, --seeds, --work).
bench-search: build
	@python3 bench/search.py --danlu $(DANLU) --work $(TARGET_DIR)/bench-search $(ARGS)

# Every preset with its recipe and three seeds, in a table (long); needs no PyTorch.
presets: build
	@python3 bench/presets.py --danlu $(DANLU) $(ARGS)

# What the page costs a training that it shows, some minutes; on a quiet machine.
bench-dashboard: build
	@python3 bench/dashboard.py --danlu $(DANLU) $(ARGS)

# `--live` in a real terminal: keys are sent and the screen is read back; about ten seconds.
terminal: setup
	@scripts/setup.sh tmux
	cargo test $(CARGO_FLAGS) --workspace --test cli -- --ignored terminal:: $(ARGS)

# Studies and searches whose processes are killed at many random instants, and studies that two share meanwhile; some minutes.
kill-study: setup
	cargo test $(CARGO_FLAGS) --workspace --test cli -- --ignored study::killing:: $(ARGS)

# The data set and a linker, where Debian has them as packages and they are missing.
setup:
	@scripts/setup.sh

# Those below need PyTorch, TensorBoard or Optuna, which scripts/python-env.sh installs (4 GB, once).

# Seconds and memory, Danlu and PyTorch in turn: make bench ARGS=--record keeps the result.
bench: build
	@python=$$(scripts/python-env.sh); $$python bench/bench.py --danlu $(DANLU) $(ARGS)

# Trials per hour, danlu study and Optuna driving PyTorch in turn; some minutes, on a quiet machine.
bench-trials: build
	@python=$$(scripts/python-env.sh); $$python bench/trials.py --danlu $(DANLU) $(ARGS)

# Children per minute, an architecture search and PyTorch training the same networks in turn; a quarter of an hour, on a quiet machine.
bench-children: build
	@python=$$(scripts/python-env.sh); $$python bench/children.py --danlu $(DANLU) $(ARGS)

# Samplers and pruners against Optuna's on test functions and on a table of trainings; a quarter of an hour, of which Optuna
# takes nearly all (ARGS="--keep FILE" keeps its results): bench/README.md.
bench-samplers:
	cargo build --release --quiet $(CARGO_FLAGS) -p search --example studies
	@python=$$(scripts/python-env.sh); $$python bench/samplers.py --studies $(TARGET_DIR)/release/examples/studies $(ARGS)

# Same losses, weights and logits from the same start.
parity: build
	@python=$$(scripts/python-env.sh); $$python tests/pytorch/parity.py --danlu $(DANLU) $(ARGS)

# Every layer and 200 random networks, exported: PyTorch and onnxruntime compute the same.
exports: setup
	@rm -rf $(TARGET_DIR)/exports
	cargo run --quiet $(CARGO_FLAGS) -p export --example random_networks -- $(TARGET_DIR)/exports 200 1
	@python=$$(scripts/python-env.sh); $$python tests/pytorch/export_check.py $(TARGET_DIR)/exports $(ARGS)

# Same accuracy over five seeds of ten epochs; about ten minutes on two cores.
accuracy: build
	@python=$$(scripts/python-env.sh); $$python tests/pytorch/accuracy.py --danlu $(DANLU) \
		--json $(TARGET_DIR)/accuracy.json $(ARGS)

# TensorBoard itself reads the event files and lists the run.
tensorboard: build
	@python=$$(scripts/python-env.sh); $$python tests/tensorboard/check.py --danlu $(DANLU) $(ARGS)

# Optuna itself reads and works on a study store beside Danlu, and its dashboard shows it; a minute.
optuna: build
	cargo build --quiet $(CARGO_FLAGS) -p store --example exchange
	@python=$$(scripts/python-env.sh); $$python tests/optuna/check.py \
		--danlu $(DANLU) --exchange $(TARGET_DIR)/debug/examples/exchange $(ARGS)
