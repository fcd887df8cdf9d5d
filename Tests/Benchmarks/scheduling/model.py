"""A planning problem as a linear or mixed-integer program for HiGHS, and a plan verified with numpy."""
import time

import highspy
import numpy as np


def path(problem, circuit):
    """The indices of a circuit and all above it."""
    index = {c["id"]: k for k, c in enumerate(problem["circuits"])}
    found, k = [], index[circuit]
    while k is not None:
        found.append(k)
        k = index.get(problem["circuits"][k].get("parent"))
    return found


def limit_at(limit, place):
    return limit if not isinstance(limit, list) else limit[0] if len(limit) == 1 else limit[place]


def quarter_of(problem, slot):
    return (int(problem["start"][14:16]) % 15 + slot * problem["slot_minutes"]) // 15


def peak_offset(problem):
    """kW by which the site's own load is below the peak that is owed anyway, slot by slot: at most zero."""
    base = np.array(problem.get("peak_base_a", [0.0] * problem["slots"]))
    return (base - max(0, base.max(), problem.get("peak_reached_a", 0))) * problem["volts"] / 1000


class Program:
    """Columns: ampere per session and slot, energy per session and value step (ampere-slots), the peak (kW); with `integers`, also
    whether a session is on in a slot."""

    def __init__(self, problem, integers=False):
        slots, volts = problem["slots"], problem["volts"]
        self.cost, self.upper, self.entries, self.lower_rows, self.upper_rows, self.whole = [], [], [], [], [], []
        self.columns = []  # per session
        below = {}  # (circuit, phase, slot): columns
        power = {}
        for s in problem["sessions"]:
            unit = len(s["phases"]) * volts * problem["slot_minutes"] / 60000
            circuits, row, first = path(problem, s["circuit"]), [], len(self.cost)
            for t in range(s["arrive"], s["depart"]):
                price = problem["price_eur_per_kwh"][t] + problem["early_eur_per_kwh"] * t / slots
                x = self.column(-unit * price, s["max_a"])
                row.append((x, 1.0))
                power.setdefault(t, []).append((x, len(s["phases"]) * volts / 1000))
                for k in circuits:
                    for p in s["phases"]:
                        below.setdefault((k, p - 1, t), []).append(x)
                if integers:
                    on = self.column(0, 1, whole=True)
                    self.row([(x, 1.0), (on, -s["max_a"])], -np.inf, 0)
                    self.row([(x, 1.0), (on, -s["min_a"])], 0, np.inf)
            for step in s["value"]:
                row.append((self.column(step["eur_per_kwh"] * unit, step["wh"] / 1000 / unit), -1.0))
            self.row(row, 0, 0)
            self.columns.append(range(first, len(self.cost)))
        for (k, p, t), columns in below.items():
            self.row([(x, 1.0) for x in columns], -np.inf, limit_at(problem["circuits"][k]["limit_a"][p], t))
        for k, c in enumerate(problem["circuits"]):
            self.sides(problem, k, c, below)
        if problem["peak_eur_per_kw"] > 0:
            peak = self.column(-problem["peak_eur_per_kw"], np.inf)
            offset = peak_offset(problem)
            for t, row in power.items():
                self.row(row + [(peak, -1.0)], -np.inf, -offset[t])

    def sides(self, problem, k, circuit, below):
        slots = range(problem["slots"])
        most = circuit.get("unbalance_a")
        if most is not None:
            for t in slots:
                for p, q in ((0, 1), (1, 2), (2, 0)):
                    coefficients = {}
                    for sign, phase in ((1.0, p), (-1.0, q)):
                        for x in below.get((k, phase, t), []):
                            coefficients[x] = coefficients.get(x, 0) + sign
                    self.row([(x, v) for x, v in coefficients.items() if v], -most, most)
        limits = circuit.get("quarter_limit_a")
        if limits is None:
            return
        share = problem["slot_minutes"] / 15
        for p in range(3):
            for quarter in range(quarter_of(problem, problem["slots"] - 1) + 1):
                near = [t for t in slots if quarter_of(problem, t) == quarter]
                row = [(x, share) for t in near for x in below.get((k, p, t), [])]
                self.row(row, -np.inf, limit_at(limits[p], quarter))

    def column(self, cost, upper, whole=False):
        self.cost.append(cost)
        self.upper.append(upper)
        self.whole.append(whole)
        return len(self.cost) - 1

    def row(self, entries, lower, upper):
        self.entries += [(len(self.lower_rows), c, v) for c, v in entries]
        self.lower_rows.append(lower)
        self.upper_rows.append(upper)

    def model(self, solver="ipm", tolerance=None):
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(self.cost), len(self.lower_rows)
        lp.col_cost_, lp.col_upper_ = np.array(self.cost), np.array(self.upper, dtype=float)
        lp.col_lower_ = np.zeros(len(self.cost))
        lp.row_lower_, lp.row_upper_ = np.array(self.lower_rows), np.array(self.upper_rows)
        lp.sense_ = highspy.ObjSense.kMaximize
        rows, columns, values = (np.array(a) for a in zip(*self.entries)) if self.entries else (np.zeros(0, int),) * 3
        order = np.lexsort((rows, columns))
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = np.searchsorted(columns[order], np.arange(len(self.cost) + 1)).astype(np.int32)
        lp.a_matrix_.index_ = rows[order].astype(np.int32)
        lp.a_matrix_.value_ = values[order].astype(float)
        if any(self.whole):
            lp.integrality_ = [highspy.HighsVarType.kInteger if w else highspy.HighsVarType.kContinuous for w in self.whole]
        model = highspy.Highs()
        model.setOptionValue("output_flag", False)
        model.setOptionValue("threads", 1)
        if not any(self.whole):
            model.setOptionValue("solver", solver)
            model.setOptionValue("run_crossover", "off")
        if tolerance:
            model.setOptionValue("pdlp_optimality_tolerance", tolerance)
        model.passModel(lp)
        return model


def solve(program, solver="ipm", tolerance=None):
    """CPU time in ms, the objective."""
    model = program.model(solver, tolerance)
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
        euro -= (amps * unit * prices[window]).sum()
        # The vehicle or the meter ends the last slot: less than one step of the grid may reach past the demand, and is not drawn.
        excess = max(0.0, energy - sum(v["wh"] for v in s["value"]) / 1000)
        if excess > 0:
            assert excess < s["step_a"] * 1000 * unit + 1e-9, s["id"]
            euro += excess * prices[window][np.flatnonzero(amps)[-1]]
            energy -= excess
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
        if c.get("unbalance_a") is not None:
            assert (used[k].max(axis=0) - used[k].min(axis=0) <= c["unbalance_a"] * 1000 + 1e-6).all(), c["id"]
        if c.get("quarter_limit_a") is not None:
            quarters = [quarter_of(problem, t) for t in range(slots)]
            for p in range(3):
                for q, total in enumerate(np.bincount(quarters, weights=used[k, p])):
                    assert total * problem["slot_minutes"] / 15 <= limit_at(c["quarter_limit_a"][p], q) * 1000 + 1e-6, (c["id"], q)
    euro -= problem["peak_eur_per_kw"] * max(0.0, (power + peak_offset(problem)).max())
    assert abs(euro - plan["objective_eur"]) <= 1e-6 * abs(euro), (euro, plan["objective_eur"])
    return euro
