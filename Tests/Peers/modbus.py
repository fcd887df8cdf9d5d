#!/usr/bin/env python3
"""Meters between Sluice and programs that nobody here wrote.

usage: modbus.py PATH/TO/sluice [PROFILES]

1. A `pymodbus` server (PyPI) holds the registers of three meters; `sluice meter read` must show their values, over TCP and over a
   serial line (socat pty pair) with two units.
2. `sluice meter serve` is an emulated meter; `pymodbus` and `mbpoll` must read from it what it was told to measure, over TCP and RTU.
3. A `pymodbus` server is the meter of a circuit that is over its rating, and the switch of its shunt trip: `sluice run` must write the
   coil on, and off again.

Prints each comparison; ends with status 1 at the first disagreement. Needs python3 with pymodbus (3.16 or later) and pyserial, socat and mbpoll.
"""
import asyncio
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

from pymodbus.client import ModbusSerialClient, ModbusTcpClient
from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

SLUICE = os.path.abspath(sys.argv[1])
PROFILES = os.path.abspath(sys.argv[2] if len(sys.argv) > 2 else os.path.join(os.path.dirname(__file__), "../../Profiles"))
COMPARED = 0


def agree(what, found, expected, tolerance=0.0):
    global COMPARED
    COMPARED += 1
    same = found is not None and abs(found - expected) <= tolerance
    print(f"{'agree   ' if same else 'DISAGREE'} {what}: {found} {'=' if same else 'instead of'} {expected}", flush=True)
    if not same:
        sys.exit(1)


def floats(*values):
    packed = b"".join(struct.pack(">f", value) for value in values)
    return list(struct.unpack(f">{len(packed) // 2}H", packed))


def low_first(raw):
    high, low = struct.unpack(">HH", struct.pack(">i", raw))
    return [low, high]


def high_first(raw, code):
    return list(struct.unpack(f">{struct.calcsize(code) // 2}H", struct.pack(">" + code, raw)))


def sdm630():
    words = {}
    for address, values in {
        0: (230.0, 231.5, 228.5, 10.0, 20.5, 7.0, 2300.0, 4700.0, -1550.0), 52: (5450.0,), 70: (50.0, 1234.0, 56.0),
    }.items():
        for i, word in enumerate(floats(*values)):
            words[address + i] = word
    return words


def em340():
    words = {}
    for address, raw in {
        0x00: 2300, 0x02: 2315, 0x04: 2285, 0x0C: 10000, 0x0E: 20500, 0x10: -7000, 0x12: 23000, 0x14: 47000, 0x16: -15500,
        0x28: 54500, 0x34: 12340, 0x4E: 560,
    }.items():
        low, high = low_first(raw)
        words[address], words[address + 1] = low, high
    words[0x33] = 500
    return words


def abb():
    words = {}
    for address, raw, code in [
        (0x5B00, 2300, "I"), (0x5B02, 2315, "I"), (0x5B04, 2285, "I"), (0x5B0C, 1000, "I"), (0x5B0E, 2050, "I"), (0x5B10, 700, "I"),
        (0x5B14, 545000, "i"), (0x5B16, 230000, "i"), (0x5B18, 470000, "i"), (0x5B1A, -155000, "i"), (0x5B2C, 5000, "H"),
        (0x5000, 123400, "Q"), (0x5004, 5600, "Q"),
    ]:
        for i, word in enumerate(high_first(raw, code)):
            words[address + i] = word
    return words


EXPECTED = {
    "voltage L1": 230.0, "voltage L2": 231.5, "voltage L3": 228.5, "current L1": 10.0, "current L2": 20.5, "current L3": -7.0,
    "power L1": 2300.0, "power L2": 4700.0, "power L3": -1550.0, "power total": 5450.0, "energy imported": 1234000.0,
    "energy exported": 56000.0, "frequency": 50.0,
}


def context(units):
    """The devices of a pymodbus server; holding and input registers are the same."""
    devices = []
    for unit, words in units.items():
        runs = []
        for address in sorted(words):
            if runs and runs[-1][0] + len(runs[-1][1]) == address:
                runs[-1][1].append(words[address])
            else:
                runs.append((address, [words[address]]))
        devices.append(SimDevice(unit, [SimData(start, values=run, datatype=DataType.REGISTERS) for start, run in runs]))
    return devices


def run_server(make):
    """Runs a pymodbus server on a thread until the program ends; waits until it listens."""
    ready = threading.Event()

    async def serve():
        server = make()
        await server.serve_forever(background=True)
        ready.set()
        await asyncio.Event().wait()

    threading.Thread(target=lambda: asyncio.run(serve()), daemon=True).start()
    if not ready.wait(10):
        sys.exit("the pymodbus server does not start")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def read_with_sluice(profile, where, unit):
    run = subprocess.run(
        [SLUICE, "meter", "read", "--profile", profile, *where, "--unit", str(unit), "--count", "2", "--period", "200", "--profiles", PROFILES],
        capture_output=True, text=True, timeout=60)
    if run.returncode != 0:
        print(run.stdout + run.stderr)
        sys.exit(f"DISAGREE sluice meter read --profile {profile}: status {run.returncode}")
    values = {}
    for line in run.stdout.splitlines():
        match = re.match(r"((?:voltage|current|power|energy|frequency)(?: \w+)?)\s+(-?[\d.]+) (?:V|A|W|Wh|Hz)\b", line)
        if match:
            values[match[1]] = float(match[2])
    return values


def compare_reading(what, profile, where, unit):
    values = read_with_sluice(profile, where, unit)
    for name, expected in EXPECTED.items():
        agree(f"{what}, {profile}, unit {unit}, {name}", values.get(name), expected, 0.01)


class SerialPair:
    """Two pseudo-terminals wired together by socat."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="sluice-modbus-")
        self.left, self.right = f"{self.folder}/left", f"{self.folder}/right"
        self.socat = subprocess.Popen(["socat", f"pty,raw,echo=0,link={self.left}", f"pty,raw,echo=0,link={self.right}"])
        deadline = time.monotonic() + 10
        while not (os.path.exists(self.left) and os.path.exists(self.right)):
            if time.monotonic() > deadline:
                sys.exit("socat makes no pty pair")
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self.socat.terminate()
        self.socat.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Served:
    """`sluice meter serve` for the time of a block."""

    def __init__(self, *arguments):
        self.arguments = arguments

    def __enter__(self):
        self.process = subprocess.Popen(
            [SLUICE, "meter", "serve", *self.arguments, "--profiles", PROFILES], stdout=subprocess.PIPE, text=True)
        self.line = self.process.stdout.readline()  # said once it listens
        if not self.line:
            sys.exit("sluice meter serve does not start")
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(10)
        if status != 0:
            sys.exit(f"DISAGREE sluice meter serve ends with status {status}")


def read_by_mbpoll(what, where, device):
    """mbpoll takes the host or the serial device as its last argument."""
    run = subprocess.run(
        ["mbpoll", *where, "-a", "3", "-0", "-r", "0", "-c", "9", "-t", "3:float", "-B", "-1", device],
        capture_output=True, text=True, timeout=30)
    found = [float(value) for value in re.findall(r"^\[\d+\]:\s+(-?[\d.e+]+)", run.stdout, re.M)]
    agree(f"{what}, number of values", len(found), len(MEASURED))
    for value, expected in zip(found, MEASURED):
        agree(what, value, expected, 0.001)


def read_by_pymodbus(what, client, unit):
    if not client.connect():
        sys.exit(f"DISAGREE pymodbus cannot connect: {what}")
    answer = client.read_input_registers(0, count=18, device_id=unit)
    if answer.isError():
        sys.exit(f"DISAGREE pymodbus: {answer}")
    values = struct.unpack(">9f", struct.pack(">18H", *answer.registers))
    for found, expected in zip(values, MEASURED):
        agree(what, found, expected, 0.001)
    refused = client.read_input_registers(60000, count=2, device_id=unit)
    agree(f"{what}, exception for registers that are not there", refused.exception_code if refused.isError() else 0, 2)
    client.close()


def shunt_trip():
    """The meter shows 20.5 A through 16 A, and a vehicle may be there: the coil is written after `after_s`, and again after `pulse_s`."""
    writes = []

    async def written(function, _start, address, _count, _registers, values):
        if values is not None:
            writes.append((time.monotonic(), function, address, bool(values[0])))

    coils = ([SimData(0, count=16, values=False, datatype=DataType.BITS)], [SimData(0, count=16, values=False, datatype=DataType.BITS)],
             [SimData(0, count=1, datatype=DataType.REGISTERS)], [SimData(0, count=1, datatype=DataType.REGISTERS)])
    port = free_port()
    run_server(lambda: ModbusTcpServer(
        context({1: sdm630()}) + [SimDevice(7, coils, action=written)], address=("127.0.0.1", port)))
    site = {
        "id": "trip", "name": "Trip", "time_zone": "UTC", "supply": "3x230/400 V", "nominal_voltage_v": 230,
        "access": {"accept": "any"}, "listen": [{"address": "127.0.0.1", "port": free_port()}],
        "meters": [{"id": "m", "profile": "eastron-sdm630", "tcp": f"127.0.0.1:{port}", "unit": 1}],
        "connection": {
            "id": "c", "limit_a": 16, "base_worst_a": 2, "meter": {"id": "m", "phases": "RST"},
            "shunt_trip": {"tcp": f"127.0.0.1:{port}", "unit": 7, "coil": 3, "after_s": 5, "pulse_s": 1}},
        "stations": [{"id": "s", "model": "ocpp-conformant", "trust": "proven", "circuit": "c", "connectors": [
            {"number": 1, "conductors": 3, "rotation": "RST", "maximum_a": 16, "fallback_a": 6}]}],
    }
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "site.json5")
        with open(path, "w") as file:
            json.dump(site, file)
        begin = time.monotonic()
        hub = subprocess.Popen(
            [SLUICE, "run", path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env=dict(os.environ, SLUICE_PROFILES=PROFILES))
        said = []
        reader = threading.Thread(target=lambda: said.extend(hub.stderr), daemon=True)
        reader.start()
        while len(writes) < 2 and time.monotonic() - begin < 60 and hub.poll() is None:
            time.sleep(0.1)
        hub.terminate()
        hub.wait(30)
        reader.join(5)
    if len(writes) < 2:
        sys.exit(f"the coil was written {len(writes)} times; sluice said:\n{''.join(said[-20:])}")
    agree("shunt trip by function", writes[0][1], 5)
    agree("shunt trip at coil", writes[0][2], 3)
    agree("shunt trip on, then off", [w[3] for w in writes[:2]] == [True, False], True)
    agree("shunt trip not before its time", writes[0][0] - begin >= 5, True)
    agree("shunt trip's pulse lasts, s", writes[1][0] - writes[0][0], 1.0, tolerance=0.9)
    agree("shunt trip in the log", any("tripped" in line for line in said), True)


# What `--current 10,16.5,-3` at 230 V means; an SDM630 gives the current without its sign.
MEASURED = [230.0, 230.0, 230.0, 10.0, 16.5, 3.0, 2300.0, 3795.0, -690.0]
CURRENT = ["--current", "10,16.5,-3"]


def main():
    port = free_port()
    units = {1: sdm630(), 2: em340(), 30: abb()}
    run_server(lambda: ModbusTcpServer(context(units), address=("127.0.0.1", port)))
    where = ["--tcp", f"127.0.0.1:{port}"]
    for profile, unit in [("eastron-sdm630", 1), ("carlo-gavazzi-em340", 2), ("abb-b23", 30)]:
        compare_reading("pymodbus server over TCP", profile, where, unit)

    with SerialPair() as pair:
        run_server(
            lambda: ModbusSerialServer(
                context({5: sdm630(), 6: em340()}), framer=FramerType.RTU, port=pair.left, baudrate=19200, parity="N", stopbits=1))
        where = ["--rtu", pair.right, "--baud", "19200", "--parity", "N"]  # a pty knows no parity
        for profile, unit in [("eastron-sdm630", 5), ("carlo-gavazzi-em340", 6)]:
            compare_reading("pymodbus server over RTU", profile, where, unit)

    port = free_port()
    with Served("--profile", "eastron-sdm630", "--tcp", str(port), "--unit", "3", *CURRENT):
        read_by_pymodbus("emulated meter by pymodbus over TCP", ModbusTcpClient("127.0.0.1", port=port), 3)
        read_by_mbpoll("emulated meter by mbpoll over TCP", ["-m", "tcp", "-p", str(port)], "127.0.0.1")

    with SerialPair() as pair:
        with Served("--profile", "eastron-sdm630", "--rtu", pair.left, "--baud", "9600", "--unit", "3", *CURRENT):
            client = ModbusSerialClient(pair.right, baudrate=9600, parity="N", stopbits=1, framer=FramerType.RTU, timeout=2)
            read_by_pymodbus("emulated meter by pymodbus over RTU", client, 3)
            read_by_mbpoll("emulated meter by mbpoll over RTU", ["-m", "rtu", "-b", "9600", "-P", "none"], pair.right)
    shunt_trip()
    print(f"{COMPARED} comparisons agree")


main()
