# The README's two commands are `make workshop` and `make test`; the rest is what they are made of.
SHELL := /bin/bash
.DEFAULT_GOAL := workshop
LOADLINE := target/release/loadline
# Public archives of advisories, too large for a repository: four tests and a bench read them.
ADVISORIES := ../shared/data/osv

.PHONY: workshop test engine tools test-engines generated bench bench-bases fuzz

# Builds the program, makes sure that an engine runs, opens the workshop. Asking for it is the
# consent that `doctor --fix` would ask for; it says what it installs and why before it does it.
# Where there is no engine at all, one is fetched and started while the compiler works, and waited for
# whatever comes of that: nothing is installed behind a prompt. Everything else is the doctor's to
# judge. Who was put into the engine's group just now need not log in again.
workshop:
	@if [ -z "$$(type -P docker dockerd podman)" ]; then .ci/engine & engine=$$!; fi; \
	cargo build --release; built=$$?; \
	[ -z "$$engine" ] || wait "$$engine" || true; \
	exit "$$built"
	@.ci/in-group $(LOADLINE) doctor --fix --yes || true
	@.ci/in-group $(LOADLINE)

# Sets up what the tests need and runs them, those on the engine included; the engine that is killed
# is in `test-engines`.
test: engine tools
	.ci/in-group cargo test
	@if [ -d $(ADVISORIES) ]; then cargo test --test it advisories:: -- --ignored; \
	else echo 'left out: four tests of public advisories, whose archives are not in $(ADVISORIES)'; fi

engine:
	@.ci/engine

# Programs that single tests are about.
tools:
	@.ci/need go 'a test reads programs that it builds' golang-go
	@.ci/sshd
	@.ci/need gpg 'a test signs a package archive of its own' gpg gpg-agent

# One contract for five engines, each built and started here: Docker 20.10 and 26.1 with each image
# store, Podman 4.3 and 5.4. Cases mostly wait, so more of them run at a time than there are cores.
# The engines go whatever comes of it.
test-engines: engine
	cargo test --test it --no-run
	@trap '.ci/in-group .ci/engines stop' EXIT; set -e; \
	.ci/in-group .ci/engines start; \
	engines=$$(.ci/in-group .ci/engines list); \
	LOADLINE_TEST_ENGINES=$$engines \
		.ci/in-group cargo test --test it engine_contract -- --test-threads 4; \
	echo 'engines: now one of them is killed in the middle of a build'; \
	LOADLINE_TEST_KILL=$$(tr , '\n' <<<"$$engines" | grep 26.1-graphdriver) \
		.ci/in-group cargo test --test it a_real_engine_that_is_killed -- --ignored

# Draws the README's pictures and writes the tables of the manual anew; tests hold them against what
# the program draws and finds.
generated:
	LOADLINE_WRITE_SHOTS=1 cargo test --test it shots::
	LOADLINE_WRITE_DOCS=1 cargo test --test it lint_corpus::

# What is felt, in figures with budgets; fails where one is missed.
bench: engine
	.ci/in-group cargo bench --bench terminal --bench attempt --bench layers --bench packages \
		--bench advisories --bench lint

# The same of base images, on an engine of its own that has none: those of this machine stay.
bench-bases: engine
	@trap '.ci/in-group .ci/engines stop' EXIT; set -e; \
	.ci/in-group .ci/engines start; \
	engines=$$(.ci/in-group .ci/engines list); \
	DOCKER_HOST=$$(tr , '\n' <<<"$$engines" | grep 26.1-graphdriver) \
		.ci/in-group cargo bench --bench bases

# Ten million bytes that nobody would write, through the parser and every lint rule.
fuzz:
	LOADLINE_FUZZ_BYTES=10000000 cargo test --test it lint_fuzz
