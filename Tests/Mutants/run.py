"""Can the torture find faults? Each mutant is put into a copy of the controller, alone, and random days are lived until a rule is seen to
break: in how many, from several starts.

usage: run.py check            every mutant has its one place in the sources, and the built `sluice` has none of them
       run.py hunt [NAME ...]  builds the mutated house in .build-mutants and hunts each mutant; all without names"""
import concurrent.futures, functools, os, re, statistics, subprocess, sys

from mutants import MUTANTS

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
HOUSE = os.path.join(ROOT, ".build-mutants", "house")
VARIABLE = "SLUICE_MUTANT"
STARTS = [1, 1001, 2001, 3001, 4001]
MOST_SEEDS = 150
# What kind of days a mutant is hunted on: a hub in which everything goes wrong, one that is mostly left in peace, one that is crowded.
KINDS = {
    "frantic": ["--hours", "3", "--connectors", "5", "--frantic"],
    "mixed": ["--hours", "6", "--connectors", "10"],
    "crowded": ["--hours", "8", "--connectors", "24"],
}

ASKING = f"""import Glibc

/// Which mutant is alive in this process.
private let alive: String = unsafe getenv("{VARIABLE}").map {{ unsafe String(cString: $0) }} ?? ""
public func isMutant(_ name: String) -> Bool {{ alive == name }}
nonisolated(unsafe) private var count = 0
/// Something that no event tells.
public func isOdd() -> Bool {{
  unsafe count += 1
  return unsafe count % 7 == 0
}}
"""


def read(path):
    with open(path) as file: return file.read()


def places():
    """What is wrong with the list."""
    problems = []
    if len({m["name"] for m in MUTANTS}) < max(15, len(MUTANTS)): problems.append("fewer than 15 mutants, or one name twice")
    for m in MUTANTS:
        for file, find, _ in m["places"]:
            count = read(os.path.join(ROOT, file)).count(find)
            if count != 1: problems.append(f"{m['name']}: its place is found {count} times in {file}: {find!r}")
    return problems


def check():
    problems = places()
    binary = os.path.join(ROOT, ".build", "release", "sluice")
    with open(binary, "rb") as file: content = file.read()
    if VARIABLE.encode() in content or b"isMutant" in content: problems.append("the built `sluice` has mutants")
    for problem in problems: print("FAILED ", problem)
    print(f"{len(MUTANTS)} mutants, each with its place; none in the built program" if not problems else "")
    return not problems


def lay_out():
    """The copy of the house, changed where it has to be: an unchanged file keeps its time, so that little is built anew."""
    texts = {"Sources/Quantities/Mutants.swift": ASKING}
    for folder, _, names in os.walk(os.path.join(ROOT, "Sources")):
        for name in names:
            path = os.path.relpath(os.path.join(folder, name), ROOT)
            texts[path] = read(os.path.join(ROOT, path))
    texts["Package.swift"] = read(os.path.join(ROOT, "Package.swift"))
    for m in MUTANTS:
        for file, find, put in m["places"]:
            texts[file] = texts[file].replace(find, re.sub(r"\bIS\b", f'isMutant("{m["name"]}")', put))
            if "import Quantities" not in texts[file]: texts[file] = "import Quantities\n" + texts[file]
    for path, text in texts.items():
        place = os.path.join(HOUSE, path)
        if os.path.exists(place) and read(place) == text: continue
        os.makedirs(os.path.dirname(place), exist_ok=True)
        with open(place, "w") as file: file.write(text)
    for folder, _, names in os.walk(os.path.join(HOUSE, "Sources")):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.relpath(path, HOUSE) not in texts: os.remove(path)
    if not os.path.exists(os.path.join(HOUSE, "Tests")): os.symlink(os.path.join(ROOT, "Tests"), os.path.join(HOUSE, "Tests"))


def build():
    lay_out()
    run = subprocess.run(["swift", "build", "-c", "release", "--product", "sluice", "-Xswiftc", "-enable-testing"], cwd=HOUSE,
                         capture_output=True, text=True)
    if run.returncode != 0:
        print("\n".join(line for line in (run.stdout + run.stderr).splitlines() if "error" in line)[:4000])
        return False
    return True


def torture(name, kind, seed):
    """What was found on one day; None: nothing."""
    environment = dict(os.environ, SLUICE_PROFILES=os.path.join(ROOT, "Profiles"), **{VARIABLE: name})
    run = subprocess.run([os.path.join(HOUSE, ".build", "release", "sluice"), "torture", "--seed", str(seed), *KINDS[kind]],
                         capture_output=True, text=True, env=environment)
    found = re.search(r"FOUND seed \d+, step \d+, \d+ s: ([^:]+):", run.stdout)
    if found: return found.group(1)
    if run.returncode == 0: return None
    return "the controller stopped: " + (run.stderr.strip().splitlines() or ["no word"])[-1][:80]


@functools.cache
def is_bad_anyway(kind, seed):
    """Days on which something is found without any mutant say nothing."""
    return torture("", kind, seed) is not None


def hunted(mutant):
    """For each start: how many days it took, and what was found; None days: it was not caught, and no further start is tried."""
    result = []
    for start in STARTS:
        for count in range(1, MOST_SEEDS + 1):
            seed = start + count - 1
            if (found := torture(mutant["name"], mutant["days"], seed)) and not is_bad_anyway(mutant["days"], seed):
                result.append((count, found))
                break
        else: return result + [(None, "")]
    return result


def hunt(names):
    wanted = [m for m in MUTANTS if not names or m["name"] in names]
    if problems := places():
        print("\n".join(problems))
        return False
    if not build(): return False
    for kind, options in KINDS.items(): print(f"{kind} days: {' '.join(options)}")
    print(f"seeds from {STARTS}, at most {MOST_SEEDS} each\n")
    print(f"{'mutant':<49} {'breaks':<13} {'days':<8} {'days to capture':<16} {'median':>6} {'worst':>6}  caught by")
    caught = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        for m, trials in zip(wanted, pool.map(hunted, wanted)):
            days = [count for count, _ in trials]
            is_caught = None not in days
            caught += is_caught
            shown = " ".join(str(count) if count else "-" for count in days)
            median = f"{statistics.median(days):g}" if is_caught else "-"
            worst = max(days) if is_caught else "NEVER"
            print(f"{m['name']:<49} {m['breaks']:<13} {m['days']:<8} {shown:<16} {median:>6} {worst:>6}  {trials[0][1]}", flush=True)
    print(f"\n{caught} of {len(wanted)} mutants caught from every start")
    return caught == len(wanted)


if __name__ == "__main__":
    way = sys.argv[1] if len(sys.argv) > 1 else ""
    if way not in ("check", "hunt"): sys.exit(__doc__)
    sys.exit(0 if (check() if way == "check" else hunt(sys.argv[2:])) else 1)
