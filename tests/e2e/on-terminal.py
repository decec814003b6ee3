# SPDX-License-Identifier: Apache-2.0
"""Runs a command on a terminal of its own and types lines of standard input, each when the command has been silent for a moment."""
import os, pty, select, sys, time

lines = sys.stdin.buffer.read().splitlines()
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
end = time.monotonic() + 40
quiet_since = time.monotonic()
seen = False
while time.monotonic() < end:
    if select.select([fd], [], [], 0.1)[0]:
        try:
            data = os.read(fd, 65536)
        except OSError:  # nobody has the terminal open: the command is over, or login(1) hangs it up and opens it again
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                break
            time.sleep(0.05)
            continue
        sys.stdout.buffer.write(data.replace(b"\r", b""))
        sys.stdout.buffer.flush()
        quiet_since, seen = time.monotonic(), True
    elif lines and seen and time.monotonic() - quiet_since > 0.7:
        os.write(fd, lines.pop(0) + b"\n")
        quiet_since, seen = time.monotonic(), False
try:
    os.kill(pid, 9)
except ProcessLookupError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) % 256)
