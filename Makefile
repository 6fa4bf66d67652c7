# tern: the front door. `make` needs cmake, a C compiler and make; the rest says what it needs.
# tern get and tern serve need http_parser, too (Debian: libhttp-parser-dev): without it they say so.
#
#   make             build/tern, build/libtern.a, build/libtern.so
#   make run         the lab's default scenario
#   make test        all tests that need no privilege (T=name: only those whose name has it)
#   make peers       tests against real peers, in namespaces of their own (T=name)
#   make check       lint, purity, sanitizers with gcc and clang, cross builds, 200 seeds
#   make sim         N=1000 SEED=1: random networks from seeds
#   make sim-auto    N=1000 SEED=1: random links on which hosts configure themselves
#   make draws       N=1000 SEED=1: socket calls drawn from seeds, beside the kernel
#   make goodput     what streams get from links of many kinds (goodput-full: all rows, recorded)
#   make goodput-kernel   tern and the kernel over the same bad wire (root, half an hour)
#   make bench       speed and memory beside other stacks, into bench/RESULTS.md
#   make threads     the POSIX layer under ThreadSanitizer (make check runs it)
#   make big-endian  the tests in virtual time, and the lab, where the highest byte comes first
#   make arm64       tern run and the twins on arm64, in an emulator (a quarter of an hour)
#   make controls    does each conformance test fail without its rule? (patches in test/controls)
#   make size        bytes of the core, by directory, and of the lean core, compiled for size
#   make install     PREFIX=/usr/local DESTDIR=

BUILD ?= build
PREFIX ?= /usr/local
N ?= 1000
SEED ?= 1
JOBS ?= $(shell nproc 2>/dev/null || echo 2)

.PHONY: size all run test peers check sim sim-auto draws goodput goodput-full goodput-kernel bench arm64 big-endian threads controls install format clean

all:
	@cmake -S . -B $(BUILD) -DCMAKE_INSTALL_PREFIX=$(PREFIX) $(CMAKE_FLAGS) > /dev/null
	@cmake --build $(BUILD) -j $(JOBS)

run: all
	@$(BUILD)/tern lab

test: all
	@tools/run-tests $(BUILD) $(T)

peers: all
	@tools/run-peers $(BUILD) $(T)

check:
	@tools/check

sim: all
	@$(BUILD)/test/sim_random $(N) $(SEED)

sim-auto: all
	@$(BUILD)/test/auto_random $(N) $(SEED)

draws: all
	@$(BUILD)/test/draws_test $(N) $(SEED)

goodput: all
	@$(BUILD)/tern_goodput

goodput-full: all
	@$(BUILD)/tern_goodput --full > $(BUILD)/goodput.txt
	@mv $(BUILD)/goodput.txt bench/goodput.txt
	@cat bench/goodput.txt

goodput-kernel: all
	@bench/run-goodput-kernel $(BUILD)

bench: all
	@bench/run $(BUILD)

threads:
	@tools/run-threads

big-endian: all
	@tools/run-big-endian $(BUILD)

arm64:
	@tools/run-arm64 $(T)

controls:
	@tools/controls

size:
	@tools/size

install: all
	@cmake --install $(BUILD) --prefix $(PREFIX)

format:
	@tools/format

clean:
	rm -rf build build-*
