# The two commands: `make run` boots a real guest, which can run guests of its own (`l2`);
# `make check` runs every test. Both install what they lack first (Debian packages, announced).
# The build itself is Meson's.

BUILD ?= build
# Where scripts/fetch-guest puts them, whatever the build directory is.
GUEST := $(or $(ANYKVM_CACHE),build/guest)
MEMORY ?= 2G
CPUS ?= 2

.PHONY: all run check bench clean distclean deps guest

all: deps
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD)
	ninja -C $(BUILD) src/anykvm
	@test -e $(BUILD)/anykvm || ln -s src/anykvm $(BUILD)/anykvm

deps:
	@scripts/install-deps

guest: deps
	@scripts/fetch-guest --nested

run: all guest
	$(BUILD)/anykvm run --nested --kernel $(GUEST)/vmlinux \
		--initrd $(GUEST)/initramfs-nested.cpio \
		--memory $(MEMORY) --smp $(CPUS) --append "console=hvc0"

check:
	@scripts/install-deps --test
	@$(MAKE) --no-print-directory all
	@scripts/fetch-guest --full --nested
	@scripts/cross-ppc64le
	@scripts/check $(BUILD)

# Against QEMU and the host; about ten minutes. BENCH="--quick --rounds 1" passes options.
bench:
	@bench/run --anykvm $(BUILD)/src/anykvm $(BENCH)

# What was downloaded for guests stays; distclean removes that, too.
clean:
	@test ! -d $(BUILD) || find $(BUILD) -mindepth 1 -maxdepth 1 ! -name guest -exec rm -rf {} +

distclean:
	rm -rf $(BUILD)
