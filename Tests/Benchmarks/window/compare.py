"""From `PUT /v1/limits/...` to the last decreasing profile at the stations' end of the wire, at charging stations with nothing outstanding:
with nobody else at the machine; with followers of the stream and as many requests a second as are asked for at another hub on the same
machine, which takes processor, memory and network alike; and with the same at this hub. What the third has above the second the window
costs the guard, what the second has above the first the machine. Times are of the monotonic clock that all processes share; the answer
comes once the limit is durable.
"""
import argparse, atexit, json, os, re, selectors, signal, socket, subprocess, sys, tempfile, threading, time
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import bench

parser = argparse.ArgumentParser()
parser.add_argument("--stations", default="200,2000")
parser.add_argument("--repetitions", type=int, default=20)
parser.add_argument("--followers", type=int, default=200)
parser.add_argument("--requests", type=int, default=1000, help="a second")
parser.add_argument("--crowd", type=int, help=argparse.SUPPRESS)  # the process that makes the noise
wish = parser.parse_args()
TARGET_MS = 150


def ask(port, line, body="", space=None):
    """The status of the answer; the rest of it is read into `space` and thrown away."""
    space = space if space is not None else bytearray(1 << 18)
    with socket.create_connection(("127.0.0.1", port), 60) as wire:
        wire.sendall(f"{line} HTTP/1.1\r\nHost: localhost\r\n{f'Content-Length: {len(body)}' + chr(13) + chr(10) if body else ''}\r\n{body}".encode())
        count = wire.recv_into(space)
        status = int(bytes(space[:count]).split(b" ", 2)[1])
        while count: count = wire.recv_into(space)
    return status


def follow(port):
    wires = selectors.DefaultSelector()
    for _ in range(wish.followers):
        wire = socket.create_connection(("127.0.0.1", port), 60)
        wire.sendall(b"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wires.register(wire, selectors.EVENT_READ)
    while wires.get_map():
        for key, _ in wires.select():
            if not key.fileobj.recv(1 << 20): wires.unregister(key.fileobj)
    os._exit(0)


def crowd(port):
    """Followers that read what they are told, in a process of their own, and askers; tells once a second how many answers there were."""
    os.nice(10)  # people and programs ask from machines of their own: they shall not take the processor from the hub
    follower = os.fork()
    if follower == 0: follow(port)
    atexit.register(os.kill, follower, signal.SIGKILL)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    counts = [0]
    paths = ["/v1/site", "/v1/circuits", "/healthz", "/v1/sessions", "/v1/limits", "/metrics", "/v1/events?limit=20"]
    def asker(share):
        due, space = time.monotonic(), bytearray(1 << 20)
        for i in range(1 << 40):
            due = max(due + share, time.monotonic() - 1)
            time.sleep(max(0, due - time.monotonic()))
            try:
                if ask(port, "GET " + paths[i % len(paths)], space=space) == 200: counts[0] += 1
            except OSError: pass
    for _ in range(16): threading.Thread(target=asker, args=(16 / wish.requests,), daemon=True).start()
    before = 0
    while True:
        time.sleep(1)
        print(counts[0] - before, flush=True)
        before = counts[0]


def hub_thread(server):
    """CPU seconds of the hub's thread, and how long it waited for a processor: of those that do not give way the one that works most."""
    tasks = []
    for task in os.listdir(f"/proc/{server.pid}/task"):
        with open(f"/proc/{server.pid}/task/{task}/stat") as file: nice = int(file.read().rsplit(")", 1)[1].split()[16])
        with open(f"/proc/{server.pid}/task/{task}/schedstat") as file: ran, waited, _ = file.read().split()
        if nice == 0: tasks.append((int(ran) / 1e9, int(waited) / 1e9))
    return max(tasks)


def written(port):
    """What the hub itself says of messages that lower, from the event to their being written: mean and the bound that 99 % keep, ms."""
    with socket.create_connection(("127.0.0.1", port), 60) as wire:
        wire.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        text = b""
        while part := wire.recv(1 << 20): text += part
    rows = [(1000 * float(bound), int(count)) for bound, count in re.findall(r'decrease_written_seconds_bucket{le="([^"]+)"} (\d+)', text.decode())]
    total = float(re.search(r"decrease_written_seconds_sum (\S+)", text.decode())[1])
    return 1000 * total / rows[-1][1], next(bound for bound, count in rows if count >= .99 * rows[-1][1])


def percentile(values, share): return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def measure(folder, count, crowd):
    """`crowd`: None, or the hub that it asks: "another" or "this"."""
    per_phase = -(-count // 3)
    port, window, meter = bench.free_port(), bench.free_port(), bench.free_port()
    folder = os.path.join(folder, f"{count}-{crowd}")
    os.mkdir(folder)
    fleet = bench.Fleet(port, count, "--meter", os.path.join(bench.ROOT, "Profiles"), "eastron-sdm630", meter)
    document = bench.site(count, port, meter_port=meter)
    document["listen"].append({"address": "127.0.0.1", "port": window, "for": ["people"], "loopback_without_token": "operator", "requests_per_s": 100000})
    document["relaxing"] = {"delay_s": 0, "ramp_s": 0}
    server = bench.sluice(folder, document, port, os.path.join(folder, "log"))
    fleet.tell("open"); fleet.tell("charge"); fleet.tell("settle", 15)
    noise, other, rates, asked = None, None, [], window
    if crowd == "another":
        asked, unused = bench.free_port(), bench.free_port()
        alike = dict(document, meters=[], listen=[dict(document["listen"][0], port=unused), dict(document["listen"][1], port=asked)],
                     connection={key: value for key, value in document["connection"].items() if key != "meter"})
        other = bench.sluice(folder, alike, asked, os.path.join(folder, "other-log"))
    if crowd:
        noise = subprocess.Popen([sys.executable, __file__, "--crowd", str(asked), "--followers", str(wish.followers), "--requests", str(wish.requests)], stdout=subprocess.PIPE, text=True)
        threading.Thread(target=lambda: rates.extend(int(l.split()[0]) for l in noise.stdout), daemon=True).start()
        time.sleep(5)
    waits, answers, cpus, falls, queued = [], [], [], [], []
    for repetition in range(wish.repetitions):
        before, start = server.cpu(), fleet.tell("mark")["now_ms"]
        _, waited = hub_thread(server)
        begun = time.monotonic()
        assert ask(window, "PUT /v1/limits/step", json.dumps({"limit_a": per_phase * 9})) == 200
        answers.append(1000 * (time.monotonic() - begun))
        seen = fleet.tell("watch")
        if seen["falls"]:
            waits.append(seen["last_fall_ms"] - start); falls.append(seen["falls"]); cpus.append(server.cpu() - before); queued.append(hub_thread(server)[1] - waited)
        else: print(f"no decrease in repetition {repetition}")
        ask(window, "DELETE /v1/limits/step")
        fleet.tell("reach", 10 * count)
    if noise: noise.terminate(); noise.wait(20)
    if other: other.stop()
    mean, most = written(window)
    rate = percentile(rates, .5) if rates else "-"
    print(f"{f'crowd at {crowd} hub' if crowd else 'alone':24}{count:9}{len(waits):5}{percentile(waits, .5):10.1f}{percentile(waits, .99):10.1f}{percentile(answers, .5):12.1f}"
          f"{mean:9.1f}{most:9.0f}{1000 * percentile(queued, .5):9.1f}{1000 * sum(cpus) / len(cpus):9.1f}{sum(falls) / len(falls):8.0f}{rate:>8}", flush=True)
    fleet.stop(); server.stop()
    return percentile(waits, .99), mean


if wish.crowd: crowd(wish.crowd)
counts = [int(text) for text in wish.stations.split(",")]
bench.raise_descriptor_limit(2 * max(counts) + 2000)
print("""Milliseconds from the request to the last decreasing profile at the stations, and to the answer; as the hub itself has it, from the
event to the message's being written, over all messages that lower (mean, and what 99 % keep); how long its thread waited for a processor
in the 1.5 s and more that a step is looked at; and what CPU time the server took in them.""")
print(f"{'window':24}{'stations':>9}{'n':>5}{'p50 ms':>10}{'p99 ms':>10}{'answer ms':>12}{'written':>9}{'99 %':>9}{'queued':>9}{'CPU ms':>9}{'falls':>8}{'req/s':>8}")
with tempfile.TemporaryDirectory(prefix="sluice-bench-") as folder:
    for count in counts:
        (quiet, own), (_, machine), (loud, beside) = measure(folder, count, None), measure(folder, count, "another"), measure(folder, count, "this")
        target = f" (target {TARGET_MS} ms: {'kept' if quiet <= TARGET_MS else 'missed'})" if count == 200 else ""
        print(f"at {count} stations: p99 {quiet:.0f} ms{target}, with the window busy {loud / quiet:.2f} times that; written after {own:.1f} ms in the mean, "
              f"{machine / own:.2f} times that with another hub busy, {beside / own:.2f} times with this one", flush=True)
