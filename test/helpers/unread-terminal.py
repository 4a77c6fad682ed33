"""Runs a program on a terminal of its own that nobody reads but between "read" and "fill". "hang up" closes it."""

import fcntl
import os
import pty
import select
import sys
import termios
import threading

master, slave = pty.openpty()
pid = os.fork()
if pid == 0:
    os.setsid()
    os.close(master)
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for descriptor in (0, 1, 2):
        os.dup2(slave, descriptor)
    os.close(slave)
    os.execvp(sys.argv[1], sys.argv[1:])
name = os.ttyname(slave)
os.close(slave)
print(f"pid {pid}", flush=True)

reading = threading.Event()
hung_up = threading.Event()
turn = threading.Lock()


def read():
    while not hung_up.is_set():
        reading.wait()
        with turn:
            try:
                if reading.is_set() and select.select([master], [], [], 0.05)[0]:
                    os.write(1, os.read(master, 4096))
            except OSError:
                return


def fill():
    reading.clear()
    with turn:
        own = os.open(name, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        for size in (1024, 1):
            try:
                while True:
                    os.write(own, b"." * size)
            except BlockingIOError:
                pass
        os.close(own)
    print("\nfull", flush=True)


def obey():
    for line in sys.stdin:
        if line == "read\n":
            reading.set()
        elif line == "fill\n":
            fill()
        elif line == "hang up\n":
            hung_up.set()
            os.close(master)


for work in (read, obey):
    threading.Thread(target=work, daemon=True).start()
_, status = os.waitpid(pid, 0)
print(f"ended {os.waitstatus_to_exitcode(status)}", flush=True)
os._exit(0)
