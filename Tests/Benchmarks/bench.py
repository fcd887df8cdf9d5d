"""What the benchmarks of the hub share: sites, servers, the fleet of stations, and what the kernel says of a process."""
import atexit
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SLUICE = os.path.join(ROOT, ".build/release/sluice")
FLEET = os.path.join(ROOT, ".build/release/fleet")


def raise_descriptor_limit(wanted):
    """Both ends of every connection live on this machine, each in a process of its own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        sys.exit(f"the limit of open files is {hard}; {wanted} are needed (ulimit -Hn, as root)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# Of each connector.
MAXIMUM_A = 12
# The most a circuit may have: enough for all of 2,000 on three phases, and for the fallbacks of 5,000.
MOST_A = 10_000


def limit_a(count):
    """Of the connection, per phase: room for all, and for their worst base load, as far as a circuit may have it."""
    return min(MOST_A, -(-count // 3) * MAXIMUM_A + 500)


def site(count, port, tls=None, meter_port=None, cap=None, feeders=10):
    """A hub of `count` stations with one single-phase connector each, spread over the phases and over feeders below one connection.
    Every other one falls back to nothing, so that the fallbacks fit."""
    per_phase = -(-count // 3)
    connection = {"id": "connection", "limit_a": limit_a(count), "base_worst_a": per_phase, "circuits": []}
    if cap is not None:
        connection["manual_cap_a"] = cap
    if meter_port:
        connection["meter"] = {"id": "grid", "phases": "RST"}
    for f in range(feeders):
        connection["circuits"].append({"id": f"feeder-{f}", "limit_a": per_phase // feeders * MAXIMUM_A + 100, "base_worst_a": 0})
    stations = [
        {"id": f"s{n}", "model": "ocpp-conformant", "trust": "proven", "circuit": f"feeder-{n % feeders}", "connectors": [
            {"number": 1, "conductors": 1, "rotation": ["RST", "STR", "TRS"][n % 3], "maximum_a": MAXIMUM_A, "fallback_a": 6 * (n // 3 % 2)}]}
        for n in range(1, count + 1)]
    listener = {"address": "127.0.0.1", "port": port}
    if tls:
        listener["tls"] = {"certificate": tls[0], "key": tls[1]}
    document = {
        "id": "bench", "name": "Benchmark", "time_zone": "UTC", "supply": "3x230/400 V", "nominal_voltage_v": 230,
        "access": {"accept": "any"}, "listen": [listener], "connection": connection, "stations": stations}
    if meter_port:
        document["meters"] = [
            {"id": "grid", "profile": "eastron-sdm630", "tcp": f"127.0.0.1:{meter_port}", "unit": 1, "period_s": 1}]
    return document


def write_site(path, document):
    with open(path + ".new", "w") as file:
        json.dump(document, file)
    os.rename(path + ".new", path)


def certificate(folder):
    names = os.path.join(folder, "certificate.pem"), os.path.join(folder, "key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-keyout", names[1], "-out", names[0]], check=True, capture_output=True)
    return names


class Process:
    """A server under test."""

    def __init__(self, arguments, port, log):
        self.log = open(log, "w")
        self.process = subprocess.Popen(
            arguments, stdout=self.log, stderr=self.log, env=dict(os.environ, SLUICE_PROFILES=os.path.join(ROOT, "Profiles")))
        self.pid = self.process.pid
        atexit.register(self.stop)
        end = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            if self.process.poll() is not None or time.monotonic() > end:
                sys.exit(f"{arguments[0]} did not start: see {log}")
            time.sleep(0.05)

    def resident(self):
        """MB of memory."""
        with open(f"/proc/{self.pid}/status") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1000

    def cpu(self):
        """Seconds of CPU time of all threads so far."""
        total = 0
        for task in os.listdir(f"/proc/{self.pid}/task"):
            with open(f"/proc/{self.pid}/task/{task}/schedstat") as file:
                total += int(file.read().split()[0])
        return total / 1e9

    def signal(self, number):
        os.kill(self.pid, number)

    def stop(self):
        """Seconds until it had ended by itself; infinite: it had to be killed."""
        start = time.monotonic()
        self.process.terminate()
        try:
            self.process.wait(30)
            return time.monotonic() - start
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return float("inf")
        finally:
            self.log.close()


class Fleet:
    """Emulated stations in a process of their own; see Tests/Fleet."""

    def __init__(self, port, count, *options):
        self.process = subprocess.Popen(
            [FLEET, str(port), str(count), *map(str, options)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, *words):
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit("the fleet has gone")
        return {key: float(value) for key, value in (word.split("=") for word in answer.split())}

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def python_central(port, tls, log):
    """The peer, in the environment of `run.sh`."""
    return Process(
        [sys.executable, os.path.join(ROOT, "Tests/Benchmarks/central.py"), str(port), *(["--tls", *tls] if tls else [])], port, log)


def sluice(folder, document, port, log):
    path = os.path.join(folder, "site.json5")
    write_site(path, document)
    return Process([SLUICE, "run", path, "--state", os.path.join(folder, f"state-{port}")], port, log)
