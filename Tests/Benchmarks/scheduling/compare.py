"""The planner against HiGHS, each answer verified with numpy. One line per family: medians over the seeds."""
import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

import highspy
import numpy as np


def linear_program(problem):
    """Columns: ampere per session and slot, then energy per session and value step (ampere-slots), then the peak (kW)."""
    slots, volts = problem["slots"], problem["volts"]
    hours = problem["slot_minutes"] / 60
    index = {c["id"]: k for k, c in enumerate(problem["circuits"])}
    parent = [index.get(c.get("parent")) for c in problem["circuits"]]
    cost, upper, entries = [], [], []
    rows = {}

    def limit_row(key):
        return rows.setdefault(key, len(rows))

    energy_rows = []
    peak_rows = {}
    for s in problem["sessions"]:
        unit = len(s["phases"]) * volts * hours / 1000
        row = []
        for t in range(s["arrive"], s["depart"]):
            column = len(cost)
            price = problem["price_eur_per_kwh"][t] + problem["early_eur_per_kwh"] * t / slots
            cost.append(-unit * price)
            upper.append(s["max_a"])
            row.append((column, 1.0))
            if problem["peak_eur_per_kw"] > 0:
                peak_rows.setdefault(t, []).append((column, len(s["phases"]) * volts / 1000))
            k = index[s["circuit"]]
            while k is not None:
                for p in s["phases"]:
                    entries.append((limit_row((k, p - 1, t)), column, 1.0))
                k = parent[k]
        for step in s["value"]:
            row.append((len(cost), -1.0))
            cost.append(step["eur_per_kwh"] * unit)
            upper.append(step["wh"] / 1000 / unit)
        energy_rows.append(row)
    lower_rows, upper_rows = [-np.inf] * len(rows), [0.0] * len(rows)
    for (k, p, t), r in rows.items():
        values = problem["circuits"][k]["limit_a"][p]
        values = values if isinstance(values, list) else [values]
        upper_rows[r] = values[0] if len(values) == 1 else values[t]
    for row in energy_rows:
        entries += [(len(lower_rows), c, v) for c, v in row]
        lower_rows.append(0.0)
        upper_rows.append(0.0)
    if peak_rows:
        peak = len(cost)
        cost.append(-problem["peak_eur_per_kw"])
        upper.append(np.inf)
        for row in peak_rows.values():
            entries += [(len(lower_rows), c, v) for c, v in row] + [(len(lower_rows), peak, -1.0)]
            lower_rows.append(-np.inf)
            upper_rows.append(0.0)
    return np.array(cost), np.array(upper), np.array(lower_rows), np.array(upper_rows), entries


def highs(program, solver, tolerance=None):
    cost, upper, lower_rows, upper_rows, entries = program
    lp = highspy.HighsLp()
    lp.num_col_, lp.num_row_ = len(cost), len(lower_rows)
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, np.zeros(len(cost)), upper
    lp.row_lower_, lp.row_upper_, lp.sense_ = lower_rows, upper_rows, highspy.ObjSense.kMaximize
    entries = sorted(entries, key=lambda e: (e[1], e[0]))
    starts = np.searchsorted([e[1] for e in entries], np.arange(len(cost) + 1))
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = starts.astype(np.int32)
    lp.a_matrix_.index_ = np.array([e[0] for e in entries], dtype=np.int32)
    lp.a_matrix_.value_ = np.array([e[2] for e in entries])
    model = highspy.Highs()
    model.setOptionValue("output_flag", False)
    model.setOptionValue("threads", 1)
    model.setOptionValue("solver", solver)
    model.setOptionValue("run_crossover", "off")
    if tolerance:
        model.setOptionValue("pdlp_optimality_tolerance", tolerance)
    model.passModel(lp)
    began = time.process_time()
    model.run()
    return (time.process_time() - began) * 1000, model.getInfo().objective_function_value


def verify(problem, plan):
    """Every limit, window, least current, grid and demand, in whole milliamperes; and what the plan is worth."""
    slots, volts, hours = problem["slots"], problem["volts"], problem["slot_minutes"] / 60
    index = {c["id"]: k for k, c in enumerate(problem["circuits"])}
    used = np.zeros((len(problem["circuits"]), 3, slots), dtype=np.int64)
    power, euro = np.zeros(slots), 0.0
    prices = np.array(problem["price_eur_per_kwh"]) + problem["early_eur_per_kwh"] * np.arange(slots) / slots
    for s, answer in zip(problem["sessions"], plan["sessions"], strict=True):
        window = slice(s["arrive"], s["depart"])
        amps = np.round(np.array(answer["amps"]) * 1000).astype(np.int64)
        on = amps[amps != 0]
        assert s["id"] == answer["id"] and len(amps) == s["depart"] - s["arrive"]
        assert (on >= s["min_a"] * 1000).all() and (on <= s["max_a"] * 1000).all() and (on % round(s["step_a"] * 1000) == 0).all()
        unit = len(s["phases"]) * volts * hours / 1e6
        energy = amps.sum() * unit
        assert energy * 1000 <= sum(v["wh"] for v in s["value"]) + 1e-3, s["id"]
        euro -= (amps * unit * prices[window]).sum()
        power[window] += amps * len(s["phases"]) * volts / 1e6
        for v in s["value"]:
            part = min(energy, v["wh"] / 1000)
            euro, energy = euro + part * v["eur_per_kwh"], energy - part
        k = index[s["circuit"]]
        while k is not None:
            for p in s["phases"]:
                used[k, p - 1, window] += amps
            k = index.get(problem["circuits"][k].get("parent"))
    for k, c in enumerate(problem["circuits"]):
        for p in range(3):
            limit = np.broadcast_to(np.atleast_1d(c["limit_a"][p]), slots)
            assert (used[k, p] <= limit * 1000 + 1e-6).all(), (c["id"], p)
    euro -= problem["peak_eur_per_kw"] * power.max()
    assert abs(euro - plan["objective_eur"]) <= 1e-6 * abs(euro), (euro, plan["objective_eur"])
    return euro


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("sluice")
    parser.add_argument("--sizes", default="100,1000")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--pdlp", action="store_true", help="compare with PDLP at 1e-4 as well")
    options = parser.parse_args()
    families = {"congested": ["--tight", "2"], "hourly": ["--tight", "2", "--hourly"], "light": ["--tight", "0.8"]}
    print("family n | HiGHS IPM ms | gap 1e-3: ms, ratio, true gap, plan gap, finish ms | gap 1e-4: ms, ratio")
    for size in options.sizes.split(","):
        for name, flags in families.items():
            results = []
            for seed in range(1, options.seeds + 1):
                with tempfile.TemporaryDirectory() as folder:
                    results.append(one(options, pathlib.Path(folder), size, seed, flags))
            median = [statistics.median(column) for column in zip(*results)]
            ipm, loose, gap, plan_gap, finish, tight, pdlp = median
            extra = f" | PDLP {pdlp:.0f} ms, {pdlp / loose:.0f}x" if options.pdlp else ""
            print(
                f"{name} {size} | {ipm:.0f} | {loose:.2f}, {ipm / loose:.0f}x, {gap:.1e}, {plan_gap:.1e}, {finish:.2f}"
                f" | {tight:.2f}, {ipm / tight:.0f}x{extra}", flush=True)


def one(options, folder, size, seed, flags):
    file = folder / "problem.json5"
    subprocess.run([options.sluice, "problem", "--connectors", size, "--seed", str(seed), *flags, "--out", file], check=True)
    problem = json.loads(file.read_text())
    program = linear_program(problem)
    ipm, optimum = highs(program, "ipm")
    pdlp = highs(program, "pdlp", 1e-4)[0] if options.pdlp else 0
    plans = []
    for gap in ("1e-3", "1e-4"):
        out = folder / f"plan-{gap}.json"
        runs = []
        for _ in range(3):
            command = [options.sluice, "plan", file, "--gap", gap, "--gap-of-value", "--out", out]
            subprocess.run(command, check=True)
            runs.append(json.loads(out.read_text()))
        best = min(runs, key=lambda run: run["cpu_ms"]["solve"])
        verify(problem, best)
        assert best["relaxed_eur"] <= optimum + 1e-5 * abs(optimum) and best["bound_eur"] >= optimum - 1e-5 * abs(optimum)
        plans.append(best)
    loose, tight = plans
    return (
        ipm, loose["cpu_ms"]["solve"], (optimum - loose["relaxed_eur"]) / abs(optimum), loose["gap"], loose["cpu_ms"]["finish"],
        tight["cpu_ms"]["solve"], pdlp)


if __name__ == "__main__":
    main()
