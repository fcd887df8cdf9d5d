#!/usr/bin/env python3
"""Commissioning on real wires: each mistake that the rig makes on request is found, and named.

usage: commission.py PATH/TO/sluice

Starts `sluice rig` and `sluice commission` for each case, all at once, on ports and in folders of their own, and reads the protocols.
Prints each promise; ends with status 1 if one is broken.
"""
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import jsonschema

SLUICE = os.path.abspath(sys.argv[1])
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PATIENCE = 240  # seconds that a whole case may take

STATION = """{ model: "test-station", sources: ["Tests/Peers/commission.py"], zero: "pauses", rotates: true, honours_zero_fallback: true,
  sample_interval_s: 1, reaction_s: 1, minimum_interval_s: 1 }"""

broken = []


def promise(case, what, holds, why=""):
    print(f"{'holds ' if holds else 'BROKEN'} {case}: {what}{'' if holds else ' -- ' + str(why)}", flush=True)
    if not holds:
        broken.append(case)


def free_ports(count):
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


class Case:
    """One hub in a folder of its own."""

    def __init__(self, folder, name, rig=(), rotation="STR", trust="none", conductors=3):
        self.name, self.rig = name, list(rig)
        self.folder = os.path.join(folder, name)
        profiles = os.path.join(self.folder, "Profiles")
        os.makedirs(os.path.join(profiles, "stations"))
        os.symlink(os.path.join(ROOT, "Profiles", "meters"), os.path.join(profiles, "meters"))
        with open(os.path.join(profiles, "stations", "test-station.json5"), "w") as file:
            file.write(STATION)
        self.profiles = profiles
        self.port, meter = free_ports(2)
        with open(os.path.join(ROOT, "Simulations", "commission.site.json5")) as file:
            text = file.read()
        text = text.replace("8889", str(self.port)).replace("15030", str(meter)).replace("ocpp-conformant", "test-station")
        text = text.replace('rotation: "STR"', f'rotation: "{rotation}"' + (f", conductors: {conductors}" if conductors < 3 else ""))
        text = text.replace('id: "bay-1", ', f'id: "bay-1", trust: "{trust}", ')
        self.site = os.path.join(self.folder, "site.json5")
        with open(self.site, "w") as file:
            file.write(text)
        self.state = os.path.join(self.folder, "state")
        self.protocol = os.path.join(self.folder, "protocol")
        self.record, self.status, self.output, self.log = None, None, "", ""

    def start_rig(self, load):
        with open(os.path.join(self.folder, "rig.log"), "w") as log:
            self.player = subprocess.Popen(
                [SLUICE, "rig", self.site, "--profiles", self.profiles, "--load", load, "--slowest", "1", *self.rig],
                stdout=log, stderr=log)

    def start(self, *options, load="L1L2L3"):
        self.start_rig(load)
        self.out = open(os.path.join(self.folder, "out"), "w")
        self.err = open(os.path.join(self.folder, "err"), "w")
        self.run = subprocess.Popen(
            [SLUICE, "commission", self.site, "--profiles", self.profiles, "--state", self.state, "--protocol", self.protocol,
             "--yes", "--installer", "A. N. Installer <x>", "--patience", "60", *options],
            stdout=self.out, stderr=self.err, stdin=subprocess.DEVNULL)
        return self

    def finish(self, keeps_rig=False):
        try:
            self.status = self.run.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.run.kill()
            self.status = "too long"
        if not keeps_rig:
            self.player.send_signal(signal.SIGTERM)
            self.player.wait(timeout=20)
        self.out.close(), self.err.close()
        with open(os.path.join(self.folder, "out")) as file:
            self.output = file.read()
        with open(os.path.join(self.folder, "err")) as file:
            self.log = file.read()
        with open(self.protocol + ".json") as file:
            self.record = json.load(file)
        with open(self.protocol + ".html") as file:
            self.page = file.read()
        jsonschema.validate(self.record, SCHEMA)
        return self

    @property
    def station(self):
        return self.record["stations"][0]

    @property
    def circuit(self):
        return self.station["connectors"][0]["circuits"][0]

    @property
    def faults(self):
        return {fault["kind"] for fault in self.circuit["faults"]}

    @property
    def corrections(self):
        return {(one["key"], one["stated"], one["right"]) for one in self.station["corrections"]}

    def says(self, what, holds):
        promise(self.name, what, holds, (self.status, self.output))


with open(os.path.join(ROOT, "Profiles", "commissioning.schema.json")) as file:
    SCHEMA = json.load(file)


def right(case):
    case.start("--loads", "2", "--reset-hard", load="L1,L2").finish(keeps_rig=True)
    fitting = case.circuit["rotations"]
    case.says("two single-phase loads prove the whole order of phases", fitting == ["STR"])
    case.says("each step of a phase agrees one to one", [f for f in case.circuit["factors"] if f is not None] != []
              and all(0.9 < f < 1.1 for f in case.circuit["factors"] if f is not None))
    case.says("what no load was on is open, not passed", case.faults == {"notLoaded"} and case.status == 3)
    case.says("it keeps to its offers", case.station["connectors"][0]["obedience"]["outcome"] == "passed")
    case.says("link loss and power cycle pass", [case.station[k]["outcome"] for k in ("link_loss", "power_cycle")] == ["passed"] * 2)
    case.says("its fallback is proven", case.station["trust"]["after"] == "proven")
    case.says("the page has lines to sign and escapes what it is given", "Signatures" in case.page and "Installer &lt;x&gt;" in case.page)
    # A later run of the controller has the trust, without a word in the site file, and after SIGHUP.
    with open(os.path.join(case.folder, "run.err"), "w") as log:
        hub = subprocess.Popen([SLUICE, "run", case.site, "--profiles", case.profiles, "--state", case.state], stderr=log)
    told = wait_for(os.path.join(case.folder, "run.err"), r"event=trust station=bay-1 trust=proven site_file=none")
    case.says("`sluice run` trusts what was commissioned", told)
    wait_for(os.path.join(case.folder, "run.err"), r"event=station_connected")
    hub.send_signal(signal.SIGHUP)
    again = wait_for(os.path.join(case.folder, "run.err"), r"event=reconfigured[\s\S]*event=trust station=bay-1 trust=proven")
    case.says("and goes on to after SIGHUP", again)
    hub.send_signal(signal.SIGTERM)
    case.says("and ends cleanly", hub.wait(timeout=30) == 0)
    case.player.send_signal(signal.SIGTERM)
    case.player.wait(timeout=20)
    verified = subprocess.run([SLUICE, "journal", "verify", case.state], capture_output=True)
    replayed = subprocess.run([SLUICE, "journal", "replay", case.state], capture_output=True, text=True)
    promise(case.name, "the journal of a commissioning run verifies and replays", verified.returncode == replayed.returncode == 0, replayed.stdout)


def wait_for(path, pattern):
    end = time.monotonic() + 40
    while time.monotonic() < end:
        with open(path) as file:
            if re.search(pattern, file.read()):
                return True
        time.sleep(0.1)
    return False


def single(case):
    case.start("--reset-hard", load="L1").finish()
    case.says("a right single-phase connector passes everything", case.status == 0 and case.record["outcome"] == "passed")
    case.says("its trust is the one line to change", case.corrections == {("trust", '"none"', '"proven"')})


def miswired(case):
    case.start("--no-link-loss", "--no-power-cycle", load="L1").finish()
    case.says("a connector on another phase is found", "otherRotation" in case.faults and case.status == 1)
    case.says("the orders that fit are named", set(case.circuit["rotations"]) == {"TRS", "TSR"} and '"TRS", "TSR"' in case.output)


def rewired(case):
    case.start("--no-link-loss", "--no-power-cycle", "--loads", "2", load="L1,L2").finish()
    case.says("with two loads the right line is given", ("rotation", '"RST"', '"TRS"') in case.corrections and case.status == 1)


def unknown(case):
    case.start("--no-link-loss", "--no-power-cycle", "--loads", "2", load="L2,L3").finish()
    case.says("an unknown wiring gets a proposal", ("rotation", '"unknown"', '"SRT"') in case.corrections)


def turned(case):
    case.start("--no-power-cycle").finish()
    case.says("a meter that is turned round is found, and the line that mends it",
              "turned" in case.faults and ("inverted", "false", "true") in case.corrections)
    case.says("the link-loss test sees through it", case.station["link_loss"]["outcome"] == "passed")
    case.says("without a power cycle the trust is no more than accepted", case.station["trust"]["after"] == "accepted")


def one_turned(case):
    case.start("--no-link-loss", "--no-power-cycle").finish()
    case.says("one turned transformer is found", "turned" in case.faults and "its own L2" in case.output and case.status == 1)
    case.says("a wrong ratio of another is found", "ratio" in case.faults and "set 2:1" in case.output)


def forgetful(case):
    case.start("--no-link-loss", "--reset-hard").finish()
    case.says("a station that forgets its fallback without power is found",
              case.station["power_cycle"]["outcome"] == "failed" and case.station["trust"]["after"] == "none" and case.status == 1)


def no_dead_man(case):
    case.start("--no-power-cycle").finish()
    case.says("a station that goes on unheard above its fallback is found",
              case.station["link_loss"]["outcome"] == "failed" and case.station["trust"]["after"] == "none")


def disobedient(case):
    case.start("--no-link-loss", "--no-power-cycle").finish()
    case.says("a station that ignores its offers is found",
              case.station["connectors"][0]["obedience"]["outcome"] == "failed" and case.status == 1)


def interrupted(case):
    case.start()
    wait_for(os.path.join(case.folder, "out"), r"  step ")
    case.run.send_signal(signal.SIGINT)
    case.finish()
    case.says("an interrupted run leaves a valid protocol that says so", case.record["interrupted"] and case.status == 3)
    case.says("and ends the hub in order", "event=stopped" in case.log)


with tempfile.TemporaryDirectory() as folder:
    still = ["--still"]
    cases = [
        (right, Case(folder, "right")),
        (single, Case(folder, "single-phase", still, conductors=1)),
        (miswired, Case(folder, "miswired", ["--rotation", "bay-1/1=TRS"])),
        (rewired, Case(folder, "rewired", [*still, "--rotation", "bay-1/1=TRS"], rotation="RST")),
        (unknown, Case(folder, "unknown", [*still, "--rotation", "bay-1/1=SRT"], rotation="unknown")),
        (turned, Case(folder, "turned", [*still, "--ct", "feeder=-1"])),
        (one_turned, Case(folder, "one-turned", [*still, "--ct", "feeder/L2=-1", "--ct", "feeder/L3=2"])),
        (forgetful, Case(folder, "forgetful", [*still, "--quirk", "bay-1=forgetsProfiles"])),
        (no_dead_man, Case(folder, "no-dead-man", [*still, "--quirk", "bay-1=firstPeriodOnly"])),
        (disobedient, Case(folder, "disobedient", [*still, "--quirk", "bay-1=acceptsButIgnores"])),
        (interrupted, Case(folder, "interrupted", still)),
    ]

    def live(test, case):
        try:
            test(case)
        except Exception as error:  # a case that breaks must not hide the others
            promise(case.name, "runs to its end", False, repr(error) + getattr(case, "output", "")[-500:])
        finally:
            for process in (getattr(case, "run", None), getattr(case, "player", None)):
                if process and process.poll() is None:
                    process.kill()

    threads = [threading.Thread(target=live, args=pair) for pair in cases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

print(f"{len(cases) - len(set(broken))} of {len(cases)} cases hold")
sys.exit(1 if broken else 0)
