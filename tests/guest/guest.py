"""What the guest tests share: running a machine, talking to it, and saying what was found.

A test makes Machines and calls check() and expect(); each assertion is a line `ok - ...` or
`not ok - ...`, which scripts/check counts. When one fails, the end of the machine's output
follows.

Environment:
  ANYKVM          the command to test (default: build/anykvm)
  ANYKVM_OPTIONS  options for `anykvm run`, such as `--jit off`
  ANYKVM_CACHE    where scripts/fetch-guest puts kernel and images (default: build/guest)
  ANYKVM_TIMEOUT  factor for all time limits, for sanitizer builds and slow hosts
  ANYKVM_KEEP     a folder for the logs of failed machines
"""
import argparse
import atexit
import base64
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ANYKVM = os.environ.get("ANYKVM", os.path.join(TOP, "build", "anykvm"))
CACHE = os.environ.get("ANYKVM_CACHE", os.path.join(TOP, "build", "guest"))
OPTIONS = ["--backend", "anykvm", *os.environ.get("ANYKVM_OPTIONS", "").split()]
SLOWER = float(os.environ.get("ANYKVM_TIMEOUT") or "1")

# Exit statuses, as docs/man/anykvm.1 says.
POWER_OFF = 0
SKIP = 77  # ours, to meson

# Seconds. A boot takes a small part of it on an idle machine; others may share it with us.
BOOT = 300

READY = r"anykvm: guest ready"
# Without an anchor: a message of the kernel may have come before it on the line.
PROMPT = r"~ # "

failures = 0
temporary = tempfile.mkdtemp(prefix="anykvm-test.")
# However it ends: --help does before there is a test.
atexit.register(shutil.rmtree, temporary, ignore_errors=True)


def at_least_one(text):
    """For argparse: a number from 1 on. A test of nothing must not succeed."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no number from 1 on")
    return int(text)


def check(good, what):
    """One assertion. Returns whether it held."""
    global failures
    print(f"{'ok' if good else 'not ok'} - {what}", flush=True)
    if not good:
        failures += 1
    return good


def equal(got, wanted, what):
    good = check(got == wanted, what)
    if not good:
        print(f"#   wanted {wanted!r}\n#   got    {got!r}", flush=True)
    return good


def images(full=False, nested=False):
    """(kernel, initramfs); the test is skipped if they were not fetched."""
    kernel = os.path.join(CACHE, "vmlinux")
    initrd = os.path.join(CACHE, "initramfs-nested.cpio" if nested else
                          "initramfs-full.cpio.gz" if full else "initramfs.cpio.gz")
    for path in (kernel, initrd, ANYKVM):
        if not os.path.exists(path):
            print(f"skipped: there is no {path}; run scripts/fetch-guest --full --nested.")
            sys.exit(SKIP)
    return kernel, initrd


def cpio(files):
    """An initramfs (cpio `newc`) that adds files to the one before it: {path: bytes}."""
    archive = bytearray()

    def entry(name, mode, data):
        encoded = name.encode() + b"\0"
        # inode 0: the kernel takes each as a file of its own, links being 1.
        fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
        archive.extend(b"070701" + "".join(f"{f:08X}" for f in fields).encode() + encoded)
        archive.extend(bytes(-len(archive) % 4))
        archive.extend(data)
        archive.extend(bytes(-len(archive) % 4))

    for path, data in files.items():
        entry(path.lstrip("/"), 0o100755, data)
    entry("TRAILER!!!", 0, b"")
    return bytes(archive)


def initramfs(*names, files=None):
    """The small image (bytes) with programs of tests/guest/programs, for guests of guests."""
    with open(os.path.join(CACHE, "initramfs.cpio.gz"), "rb") as image:
        data = image.read()
    # The next archive starts on a multiple of four bytes.
    return data + bytes(-len(data) % 4) + cpio({**programs(*names), **(files or {})})


def own_signals():
    """What ignores signals (nohup, the background of a script) and runs tests is not to be seen in them."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


def cpus(smp):
    """How many vCPUs a value of -smp or --smp means: N, or cores=N,threads=N."""
    total = 1
    for part in str(smp).split(","):
        total *= int(part.split("=")[-1])
    return total


class Machine:
    """A run of `anykvm run`, on a pipe or (terminal=True) on a pseudo-terminal of its own.

    nested=True is about the image; that the guest may have guests is an option of the run.
    """

    def __init__(self, command=None, memory="1G", smp=1, append="", full=False, nested=False,
                 initrd=True, files=None, options=(), terminal=False, restore=None, name="guest"):
        kernel, image = images(full, nested)
        arguments = [ANYKVM, "run", *OPTIONS, "--kernel", kernel, "--memory", memory,
                     "--smp", str(smp)]
        if files:
            together = os.path.join(temporary, f"{name}.cpio")
            with open(together, "wb") as out, open(image, "rb") as base:
                shutil.copyfileobj(base, out)
                # The next archive starts on a multiple of four bytes.
                out.write(bytes(-out.tell() % 4))
                out.write(cpio(files))
            image = together
        if initrd:
            arguments += ["--initrd", image]
        words = ["console=hvc0"]
        if append:
            words.append(append)
        if command is not None:
            words.append("anykvm.run64=" + base64.b64encode(command.encode()).decode())
        arguments += ["--append", " ".join(words), *options]
        if restore:  # a saved state, which all of the above is in
            arguments = [ANYKVM, "run", *OPTIONS, "--restore", restore, *options]

        self.name = name
        self.output = ""
        self.seen = 0  # how far expect() has looked
        self.status = None
        self.started = time.monotonic()
        self.slave = None
        if terminal:
            self.end, self.slave = pty.openpty()
            fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
            self.settings = termios.tcgetattr(self.slave)

            def own_terminal():
                os.setsid()
                own_signals()
                fcntl.ioctl(0, termios.TIOCSCTTY, 0)

            self.process = subprocess.Popen(arguments, stdin=self.slave, stdout=self.slave,
                                            stderr=self.slave, preexec_fn=own_terminal)
            self.input = self.end
        else:
            self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                            start_new_session=True, preexec_fn=own_signals)
            self.end = self.process.stdout.fileno()
            self.input = self.process.stdin.fileno()
        os.set_blocking(self.input, False)
        machines.append(self)

    def _read(self, seconds):
        """Takes what output comes within the time. False at its end."""
        ready, _, _ = select.select([self.end], [], [], max(0, seconds))
        if not ready:
            return True
        try:
            data = os.read(self.end, 65536)
        except OSError:  # a pseudo-terminal nobody has open any more
            data = b""
        # The guest's terminal ends lines with CR LF.
        self.output += data.decode(errors="replace").replace("\r", "")
        return bool(data)

    def send(self, text, seconds=60):
        """Types; keeps reading meanwhile, since the machine may wait for its output to go."""
        data = text.encode() if isinstance(text, str) else text
        limit = time.monotonic() + seconds * SLOWER
        while data and time.monotonic() < limit:
            _, ready, _ = select.select([], [self.input], [], 0.1)
            if ready:
                try:
                    data = data[os.write(self.input, data[:512]):]
                except BlockingIOError:
                    pass
                except BrokenPipeError:
                    return False
            self._read(0)
        return not data

    def wait_for(self, pattern, seconds=BOOT):
        """Waits for output that matches, behind what was matched before. The match, or None."""
        limit = time.monotonic() + seconds * SLOWER
        more = True
        while True:
            match = re.compile(pattern).search(self.output, self.seen)
            if match:
                self.seen = match.end()
                return match
            if not more or time.monotonic() > limit:
                return None
            more = self._read(min(1, limit - time.monotonic()))

    def expect(self, pattern, what, seconds=BOOT):
        """Asserts wait_for(); on failure the rest of the test makes no sense: it ends."""
        match = self.wait_for(pattern, seconds)
        if not check(match is not None, what):
            print(f"#   no output matched {pattern!r}")
            self.fail()
        return match

    def wait(self, seconds=BOOT):
        """Exit status once the machine has ended, all its output taken; None on time-out."""
        limit = time.monotonic() + seconds * SLOWER
        if self.slave is None:
            while time.monotonic() < limit and self._read(min(1, limit - time.monotonic())):
                pass
        else:
            while time.monotonic() < limit and self.process.poll() is None:
                self._read(0.2)
            self._read(0)
        try:
            self.status = self.process.wait(max(0.1, limit - time.monotonic()))
        except subprocess.TimeoutExpired:
            return None
        return self.status

    def ends(self, status, what, seconds=BOOT):
        """Asserts that the machine ends by itself with an exit status."""
        got = self.wait(seconds)
        if not equal(got, status, what):
            self.fail()
        return True

    def took(self):
        return f"{time.monotonic() - self.started:.1f} s"

    def fail(self):
        """Shows the end of the output, and ends the test."""
        self.show()
        sys.exit(1)

    def show(self):
        lines = self.output.splitlines()
        print(f"#   the last lines of {self.name}'s output, of {len(lines)}, after {self.took()},"
              f" exit status {self.process.poll()}:")
        for line in lines[-60:]:
            print(f"    | {line}")
        keep = os.environ.get("ANYKVM_KEEP")
        if keep:
            os.makedirs(keep, exist_ok=True)
            path = os.path.join(keep, f"{self.name}-{self.process.pid}.log")
            with open(path, "w", encoding="utf-8") as log:
                log.write(self.output)
            print(f"#   all of it: {path}")
        sys.stdout.flush()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def terminal_restored(self):
        return termios.tcgetattr(self.slave) == self.settings


machines = []

# What a kernel's log may not have.
COMPLAINTS = r"BUG:|WARNING: CPU|Oops|rcu.*stall|lockup|Unable to handle|Call Trace"


def programs(*names):
    """The guest's programs of tests/guest/programs, for Machine's files; skips without them."""
    found = {}
    for name in names:
        path = os.path.join(CACHE, "programs", name)
        if not os.path.exists(path):
            print(f"skipped: there is no {path}; run scripts/fetch-guest --full --nested.")
            sys.exit(SKIP)
        with open(path, "rb") as program:
            found[f"/usr/bin/{name}"] = program.read()
    return found


def between(text, first, last):
    """The lines between two marker lines; None if they are not there."""
    match = re.search(rf"(?ms)^{re.escape(first)}\n(.*?)^{re.escape(last)}$", text)
    return match.group(1) if match else None


def run(test):
    """Runs a test function; ends all its machines whatever happens; exits for meson."""
    # A test that meson ends (SIGTERM) still shows where its guest was.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("not ok - the test took too long"))
    ended_well = False
    try:
        test()
        ended_well = not failures
    finally:
        if not ended_well and sys.exc_info()[0] is None:
            for machine in machines[-1:]:
                machine.show()
        elif isinstance(sys.exc_info()[1], SystemExit) and isinstance(sys.exc_info()[1].code, str):
            for machine in machines:
                if machine.process.poll() is None:
                    machine.show()
        for machine in machines:
            machine.kill()
    sys.exit(0 if ended_well else 1)
