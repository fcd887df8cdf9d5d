"""Memory, heartbeats and a reconnection storm of thousands of stations: `sluice run` and a central system on PyPI `ocpp`, in turn."""
import argparse
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import bench

parser = argparse.ArgumentParser()
parser.add_argument("--stations", type=int, default=5000)
parser.add_argument("--rounds", type=int, default=4, help="heartbeats of each station")
parser.add_argument("--only", choices=["sluice", "peer"])
parser.add_argument("--plain", action="store_true", help="without TLS only")
wish = parser.parse_args()

bench.raise_descriptor_limit(2 * wish.stations + 1000)
print(f"{wish.stations} stations; CPU is the server's; a storm: all come back at once, until the last boot is answered")
print(f"{'':22}{'start MB':>9}{'open MB':>9}{'KB each':>9}{'storm s':>9}{'CPU s':>7}{'after MB':>9}"
      f"{'heartbeat us CPU':>18}{'p50 ms':>8}{'p99 ms':>8}")
rows = {}
with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
    tls = bench.certificate(folder)
    for kind in ["plain"] if wish.plain else ["plain", "tls"]:
        for name in ["sluice", "peer"]:
            if wish.only not in (None, name):
                continue
            port = bench.free_port()
            files = tls if kind == "tls" else None
            log = os.path.join(folder, f"{name}-{kind}.log")
            if name == "sluice":
                server = bench.sluice(folder, bench.site(wish.stations, port, files), port, log)
            else:
                server = bench.python_central(port, files, log)
            fleet = bench.Fleet(port, wish.stations, *(["--tls"] if files else []))
            empty = server.resident()
            opened = fleet.tell("open")
            full = server.resident()
            before = server.cpu()
            beats = fleet.tell("heartbeats", wish.rounds)
            beat = (server.cpu() - before) / beats["answered"] * 1e6
            before = server.cpu()
            storm = fleet.tell("storm")
            storm_cpu = server.cpu() - before
            fleet.tell("settle", 3)
            after = server.resident()
            if opened["answered"] < wish.stations or storm["answered"] < wish.stations:
                print(f"{name} {kind}: {opened} {storm}")
            print(f"{name + ' ' + kind:22}{empty:9.1f}{full:9.1f}{(full - empty) * 1000 / wish.stations:9.1f}{storm['seconds']:9.2f}"
                  f"{storm_cpu:7.2f}{after:9.1f}{beat:18.1f}{beats['p50_ms']:8.1f}{beats['p99_ms']:8.1f}", flush=True)
            rows[name, kind] = full, storm["seconds"], beat
            fleet.stop()
            server.stop()
for kind in ["plain", "tls"]:
    if ("sluice", kind) in rows and ("peer", kind) in rows:
        ours, theirs = rows["sluice", kind], rows["peer", kind]
        print(f"{kind}: the peer takes {theirs[0] / ours[0]:.1f} times the memory, {theirs[1] / ours[1]:.1f} times as long in the"
              f" storm, {theirs[2] / ours[2]:.1f} times the CPU a heartbeat")
missed = [key for key, row in rows.items() if key[0] == "sluice" and (row[0] >= 100 or row[1] >= 10)]
print("targets (below 100 MB, storm below 10 s): " + ("kept" if not missed else f"missed: {missed}"))
