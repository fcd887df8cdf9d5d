"""The same sessions at a single feeder, in ACN-Sim and in Sluice.

Every vehicle takes three phases, 230 V each, so that an ampere is 690 W and one constraint describes the feeder. ACN-Sim's EVSEs allow any
current from 0 A; Sluice's connectors nothing between 0 and 6 A (IEC 61851-1): that, and the grid of 0.1 A, is where they differ.
"""

import argparse
import csv
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from datetime import datetime, timedelta, timezone
from pathlib import Path

warnings.filterwarnings("ignore")
from acnportal import acnsim, algorithms  # noqa: E402

PERIOD = 5  # minutes
VOLTS = 690
START = datetime(2025, 1, 6, tzinfo=timezone.utc)
HOURS = [0, 0, 0, 0, 1, 14, 43, 143, 267, 181, 77, 49, 54, 53, 40, 30, 20, 10, 6, 5, 3, 1, 1, 0]  # ElaadNL, workplace
POLICIES = {
    "uncontrolled": lambda: algorithms.UncontrolledCharging(),
    "first-come": lambda: algorithms.SortedSchedulingAlgo(algorithms.first_come_first_served),
    "earliest-deadline": lambda: algorithms.SortedSchedulingAlgo(algorithms.earliest_deadline_first),
}


def sessions(connectors, days, seed):
    """One or two vehicles a day at each connector, in whole periods."""
    dice = random.Random(seed)
    found = []
    for day in range(days):
        for connector in range(connectors):
            free = 0
            for _ in range(dice.choice([1, 1, 2])):
                arrival = dice.choices(range(24), HOURS)[0] * 12 + dice.randrange(12)
                if arrival < free:
                    continue
                departure = min(286, arrival + dice.randrange(18, 108))
                if departure <= arrival + 2:
                    continue
                most = 16 * VOLTS * (departure - arrival) * PERIOD / 60_000
                energy = round(min(dice.choice([4, 8, 12, 18, 30]) * dice.uniform(0.5, 1.5), most), 3)
                found.append((day * 288 + arrival, day * 288 + departure, energy, connector))
                free = departure + 1
    return sorted(found)


def acn(found, connectors, limit, policy):
    network = acnsim.ChargingNetwork()
    names = [f"row-{c + 1}" for c in range(connectors)]
    for name in names:
        network.register_evse(acnsim.EVSE(name, max_rate=16), VOLTS, 0)
    network.add_constraint(acnsim.Current(names), limit, name="feeder")
    events = acnsim.EventQueue()
    evs = []
    for number, (arrival, departure, energy, connector) in enumerate(found):
        battery = acnsim.Battery(energy, 0, 16 * VOLTS / 1000)
        ev = acnsim.EV(arrival, departure, energy, names[connector], f"s{number}", battery)
        evs.append(ev)
        events.add_event(acnsim.PluginEvent(arrival, ev))
    simulator = acnsim.Simulator(network, POLICIES[policy](), events, START, period=PERIOD, verbose=False)
    begin = time.process_time()
    simulator.run()
    return [ev.energy_delivered for ev in evs], time.process_time() - begin


def scenario(found, connectors, limit, days, folder):
    with open(folder / "sessions.csv", "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["arrival", "departure", "energy_kwh", "connector"])
        for arrival, departure, energy, connector in found:
            at = [(START + timedelta(minutes=PERIOD * period)).strftime("%Y-%m-%dT%H:%M:%SZ") for period in (arrival, departure)]
            writer.writerow([*at, energy, f"row-{connector + 1}"])
    text = {
        "story": "The same sessions as ACN-Sim's, at a single feeder",
        "sources": ["Tests/Benchmarks/simulation"],
        "start": "2025-01-06T00:00:00+00:00",
        "days": days,
        "step_min": PERIOD,
        "layout": {
            "connection_a": limit,
            "planning": {"horizon_h": 12, "slot_min": 15},
            "groups": [{"id": "row", "connectors": connectors, "maximum_a": 16}],
        },
        "models": [{"name": "car", "maximum_a": 16, "battery_kwh": 200}],
        "recorded": {"file": "sessions.csv"},
    }
    (folder / "scenario.json5").write_text(json.dumps(text))
    return folder / "scenario.json5"


def sluice(program, file, policy, folder):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [program, "simulate", file, "--out", folder / policy, "--policy", policy, "--jobs", "1", "--no-events"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"sluice simulate ended with {done.returncode}: {done.stdout}{done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    with open(folder / policy / "sessions.csv") as rows:
        delivered = [float(row["delivered_kwh"]) for row in csv.DictReader(rows)]
    return delivered, cpu, json.loads((folder / policy / "summary.json").read_text())["runs"][0]


def agree(program, connectors, limit, days, folder):
    found = sessions(connectors, days, seed=1)
    asked = sum(session[2] for session in found)
    file = scenario(found, connectors, limit, days, folder)
    print(f"\n{connectors} connectors, feeder {limit} A, {days} days, {len(found)} sessions, {asked:.0f} kWh asked; one thread, CPU time")
    head = ["policy", "ACN-Sim kWh", "Sluice kWh", "apart %", "short kWh", "short kWh", "apart % of asked", "days/s", "days/s", "ratio"]
    print("{:<18}{:>12}{:>12}{:>9}{:>11}{:>11}{:>18}{:>10}{:>10}{:>9}".format(*head))
    worst = 0
    # Sluice's speed is measured over more days: a process starts once.
    many = days * 15
    (folder / "many").mkdir(exist_ok=True)
    long = scenario(sessions(connectors, many, seed=2), connectors, limit, many, folder / "many")
    for policy in POLICIES:
        theirs, slow = acn(found, connectors, limit, policy)
        ours, _, _ = sluice(program, file, policy, folder)
        _, fast, _ = sluice(program, long, policy, folder / "many")
        fast *= days / many
        a, b = sum(theirs), sum(ours)
        apart = abs(a - b) / a * 100
        short = abs((asked - a) - (asked - b)) / asked * 100
        worst = max(worst, apart, short)
        print(
            f"{policy:<18}{a:>12.1f}{b:>12.1f}{apart:>9.3f}{asked - a:>11.1f}{asked - b:>11.1f}{short:>18.3f}"
            f"{days / slow:>10.3f}{days / fast:>10.1f}{slow / fast:>9.0f}"
        )
    for policy in ("sharing", "optimal"):
        ours, _, _ = sluice(program, file, policy, folder)
        _, fast, _ = sluice(program, long, policy, folder / "many")
        fast *= days / many
        # The controller's ratio is to ACN-Sim's last policy above, earliest deadline first.
        print(f"{policy:<18}{'':>12}{sum(ours):>12.1f}{'':>9}{'':>11}{asked - sum(ours):>11.1f}{'':>18}{'':>10}{days / fast:>10.1f}{slow / fast:>9.0f}")
    return worst


def year(program, folder):
    here = Path(__file__).resolve().parents[3] / "Simulations" / "year.json5"
    script = "import resource,subprocess,sys; s=subprocess.run(sys.argv[1:],capture_output=True).returncode; u=resource.getrusage(resource.RUSAGE_CHILDREN); print(u.ru_utime+u.ru_stime,u.ru_maxrss,s)"
    command = [program, "simulate", here, "--out", folder / "year", "--jobs", "1", "--no-events"]
    done = subprocess.run([sys.executable, "-c", script, *[str(word) for word in command]], capture_output=True, text=True, check=True)
    cpu, memory, status = done.stdout.split()
    print(f"\n100 connectors, 1 year, optimal, report included: {float(cpu):.1f} s CPU (target 60), {int(memory) // 1024} MB (target 500), status {status}")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("program")
    options.add_argument("--days", type=int, default=2)
    options.add_argument("--large", action="store_true", help="also 500 connectors; ACN-Sim takes minutes for each day")
    options.add_argument("--no-year", action="store_true")
    wish = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        worst = agree(wish.program, 54, 125, wish.days, folder)
        if wish.large:
            worst = max(worst, agree(wish.program, 500, 1160, 1, folder))
        if not wish.no_year:
            year(wish.program, folder)
    print(f"largest difference to ACN-Sim: {worst:.3f} % (target 1)")
    sys.exit(0 if worst <= 1 else 1)


if __name__ == "__main__":
    main()
