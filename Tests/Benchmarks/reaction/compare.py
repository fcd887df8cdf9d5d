"""From a step of a limit or of the base load to the last decreasing SetChargingProfile, at charging stations with nothing outstanding.

`sluice run` with every station drawing in a transaction and a real Modbus TCP meter at the connection. A stair goes down step by step, each
1.6 A of every connector, and between two steps all stations have answered and what their vehicles draw has confirmed it (rule 6: a sample
later than the model's reaction time; until then what they had counts); then up again at once, until all have their most. Times are taken at the stations' end of the wire by the monotonic clock that all processes share: what the stations
need to read and understand a profile is in them. The peer on PyPI `ocpp` sends a profile to each of the same stations at a signal, and
works nothing out.
"""
import argparse
import os
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import bench

parser = argparse.ArgumentParser()
parser.add_argument("--stations", default="200,2000")
parser.add_argument("--repetitions", type=int, default=12, help="steps of each kind")
parser.add_argument("--only", choices=["sluice", "peer"])
parser.add_argument("--keep", help="a folder for the logs")
wish = parser.parse_args()
TARGET_MS = {200: 100, 2000: 1000}
STAIR, STEP_A = 3, 1.6  # from 12 A down to 7.2 A: nobody is paused
CONFIRMED_S = 20  # a station says every 8 s what it draws, and is given 10 s to react


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class Row:
    """The steps of one kind."""

    def __init__(self):
        self.waits, self.cpus, self.falls = [], [], []

    def take(self, start, seen, cpu):
        self.waits.append(seen["last_fall_ms"] - start if seen["falls"] else float("inf"))
        self.cpus.append(cpu)
        self.falls.append(seen["falls"])

    def print(self, name, kind, count):
        waits = self.waits
        print(f"{name:8}{kind:22}{count:9}{len(waits):6}{percentile(waits, .5):10.1f}{percentile(waits, .99):10.1f}"
              f"{max(waits):10.1f}{1000 * sum(self.cpus) / len(waits):11.1f}{sum(self.falls) / len(waits):9.0f}"
              f"{os.getloadavg()[0]:8.1f}", flush=True)


class Hub:
    """`sluice run` and its stations, all charging."""

    def __init__(self, folder, count):
        self.count, self.per_phase = count, -(-count // 3)
        self.port, self.meter_port = bench.free_port(), bench.free_port()
        self.folder = os.path.join(folder, str(count))
        os.mkdir(self.folder)
        self.fleet = bench.Fleet(
            self.port, count, "--meter", os.path.join(bench.ROOT, "Profiles"), "eastron-sdm630", self.meter_port)
        log = os.path.join(wish.keep or self.folder, f"sluice-{count}.log")
        self.server = bench.sluice(self.folder, self.site(), self.port, log)
        self.fleet.tell("open")
        self.fleet.tell("charge")
        self.fill()

    def site(self, cap=None):
        return bench.site(self.count, self.port, meter_port=self.meter_port, cap=cap)

    def write(self, cap=None):
        bench.write_site(os.path.join(self.folder, "site.json5"), self.site(cap))

    def fill(self):
        """Waits until all have their most, have answered and have said so."""
        reached = self.fleet.tell("reach", self.count * bench.MAXIMUM_A - 1)
        if reached["limits_a"] < self.count * bench.MAXIMUM_A - 1:
            print(f"only {reached['limits_a']:.0f} A of {self.count * bench.MAXIMUM_A} were given within {reached['seconds']:.0f} s")
        self.fleet.tell("settle", CONFIRMED_S)

    def stairs(self, down, up):
        """`down(step)`, 1...STAIR, tells when its step began, or None where only the meter knows; `up()` undoes them all."""
        row = Row()
        while len(row.waits) < wish.repetitions:
            for step in range(1, min(STAIR, wish.repetitions - len(row.waits)) + 1):
                before = self.server.cpu()
                start = down(step)
                seen = self.fleet.tell("watch")
                row.take(start or seen["meter_answered_ms"], seen, self.server.cpu() - before)
                self.fleet.tell("settle", CONFIRMED_S)
            up()
            self.fill()
        return row

    def limit_steps(self):
        def down(step):
            self.write(int(self.per_phase * (bench.MAXIMUM_A - step * STEP_A)))
            start = self.fleet.tell("mark")["now_ms"]
            self.server.signal(signal.SIGHUP)
            return start

        def up():
            self.write()
            self.server.signal(signal.SIGHUP)

        return self.stairs(down, up)

    def base_steps(self):
        room = bench.limit_a(self.count) - self.per_phase * bench.MAXIMUM_A

        def down(step):
            self.fleet.tell("base", room + self.per_phase * step * STEP_A)

        return self.stairs(down, lambda: self.fleet.tell("base", 0))

    def stop(self):
        seconds = self.server.stop()
        self.fleet.stop()
        return seconds


def measure_sluice(folder, count):
    hub = Hub(folder, count)
    worst = 0
    for kind, steps in [("limit, by SIGHUP", hub.limit_steps), ("base load, by meter", hub.base_steps)]:
        row = steps()
        row.print("sluice", kind, count)
        worst = max(worst, percentile(row.waits, .99))
    print(f"sluice  SIGTERM ends it, with {count} stations connected, in {hub.stop():.2f} s", flush=True)
    return worst


def measure_peer(folder, count):
    port = bench.free_port()
    server = bench.python_central(port, None, os.path.join(folder, f"peer-{count}.log"))
    fleet = bench.Fleet(port, count)
    fleet.tell("open")
    fleet.tell("charge")
    server.signal(signal.SIGUSR1)
    time.sleep(1)
    server.signal(signal.SIGUSR1)
    fleet.tell("settle", 3)
    row = Row()
    for _ in range(wish.repetitions):
        before = server.cpu()
        start = fleet.tell("mark")["now_ms"]
        server.signal(signal.SIGUSR1)
        row.take(start, fleet.tell("watch"), server.cpu() - before)
        server.signal(signal.SIGUSR1)
        fleet.tell("settle", 3)
    row.print("peer", "a signal", count)
    fleet.stop()
    server.stop()


counts = [int(text) for text in wish.stations.split(",")]
bench.raise_descriptor_limit(2 * max(counts) + 1000)
print("milliseconds from the step to the last decreasing profile at the stations; CPU of the server from the step until 1.5 s after it")
print(f"{'':8}{'step':22}{'stations':>9}{'n':>6}{'p50 ms':>10}{'p99 ms':>10}{'max ms':>10}{'CPU ms':>11}{'falls':>9}{'load':>8}")
missed = []
with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
    for count in counts:
        if wish.only != "peer":
            worst = measure_sluice(folder, count)
            if worst > TARGET_MS.get(count, 1000):
                missed.append(count)
        if wish.only != "sluice":
            measure_peer(folder, count)
print("targets (p99 of 100 ms at 200 stations, 1 s at 2,000): " + (f"missed at {missed}" if missed else "kept"))
