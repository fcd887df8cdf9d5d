"""What the peers share: a line for each check, and waiting."""
import socket, time


def check(what, holds, detail=""):
    print(("ok      " if holds else "FAILED  ") + what, detail if not holds else "")
    if not holds: check.failed += 1
check.failed = 0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, patience=20):
    end = time.time() + patience
    while time.time() < end:
        if condition(): return True
        time.sleep(0.2)
    return False
