# The README's two commands are `make workshop` and `make test`; the rest is what they are made of.
SHELL := /bin/bash
.DEFAULT_GOAL := workshop
LOADLINE := target/release/loadline

.PHONY: workshop test engine test-engines bench

# Builds the program, makes sure that an engine runs, opens the workshop. Asking for it is the
# consent that `doctor --fix` would ask for; it says what it installs and why before it does it.
workshop:
	cargo build --release
	@$(LOADLINE) doctor --fix --yes || true
	@$(LOADLINE)

# Sets up what the tests need and runs all of them, those on the engine included.
test: engine
	cargo test

engine:
	@.ci/engine

# One contract for five engines, each built and started here: Docker 20.10 and 26.1 with each image
# store, Podman 4.3 and 5.4.
test-engines: engine
	.ci/engines start
	LOADLINE_TEST_ENGINES=$$(.ci/engines list) cargo test --test it engine_contract
	@# Alone: the others would lose their engine.
	LOADLINE_TEST_KILL=$$(.ci/engines list | tr , '\n' | grep 26.1-graphdriver) \
		cargo test --test it a_real_engine_that_is_killed
	.ci/engines stop

bench: engine
	cargo bench --bench terminal
