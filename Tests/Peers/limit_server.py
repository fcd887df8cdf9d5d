"""`mbpoll` as a grid operator's terminal at the Modbus limit server of `sluice run`: a limit, its watchdog, silence, what is read back, and
an address that is not heard.

usage: limit_server.py PATH_OF_SLUICE"""
import json, os, re, shutil, socket, subprocess, sys, tempfile, time, urllib.request

from checks import check, free_port, until

SLUICE = os.path.abspath(sys.argv[1])
MBPOLL = shutil.which("mbpoll")


with tempfile.TemporaryDirectory() as folder:
    stations, window, port = free_port(), free_port(), free_port()
    site = {
        "id": "terminal", "supply": "3x230/400 V", "access": {"accept": "any"},
        "listen": [{"address": "127.0.0.1", "port": stations}, {"address": "127.0.0.1", "port": window, "for": ["people"], "loopback_without_token": "viewer"}],
        "connection": {"id": "connection", "limit_a": 200, "base_worst_a": 10, "failsafe_a": 120},
        "stations": [{"id": "one", "model": "ocpp-conformant", "trust": "proven", "circuit": "connection",
                      "connectors": [{"number": 1, "rotation": "RST", "maximum_a": 32, "fallback_a": 6}]}],
        "limit_server": {"address": "127.0.0.1", "port": port, "unit": 7, "allow": ["127.0.0.1"], "source": "terminal", "silent_after_s": 4, "fallback_a": 50}}

    def start(document):
        json.dump(document, open(os.path.join(folder, "site.json5"), "w"))
        hub = subprocess.Popen([SLUICE, "run", os.path.join(folder, "site.json5"), "--state", os.path.join(folder, "state")], stderr=open(os.path.join(folder, "log"), "a"))
        assert until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0), open(os.path.join(folder, "log")).read()
        return hub

    def poll(*words, unit=7): return subprocess.run([MBPOLL, "-m", "tcp", "-p", str(port), "-a", str(unit), "-0", "-t", "4", "-o", "2", *words], capture_output=True, text=True)
    def write(address, *values): return poll("-r", str(address), "127.0.0.1", *map(str, values)).returncode == 0
    def read(address, count): return [int(v) for v in re.findall(r"^\[\d+\]:\s+(-?\d+)", poll("-r", str(address), "-c", str(count), "-1", "127.0.0.1").stdout, re.M)]

    def limit():
        with urllib.request.urlopen(f"http://127.0.0.1:{window}/v1/circuits/connection", timeout=10) as answer:
            circuit = json.loads(answer.read())
            return circuit["limit_a"], circuit["limit_source"]

    hub = start(site)
    check("the failsafe holds before a terminal speaks", limit() == ([120] * 3, "failsafe"), limit())
    check("no limit of its own is in force", until(lambda: read(16, 1) == [0]), read(16, 1))
    check("a limit per phase is written", write(3, 1500, 1400, 1300))
    check("and does nothing before it is enabled", limit() == ([120] * 3, "failsafe"), limit())
    check("enabled, it takes the failsafe's place", write(0, 1, 1) and until(lambda: limit() == ([150, 140, 130], "terminal"), 3), limit())
    check("and is read back", until(lambda: read(16, 5)[:1] == [1] and read(18, 3) == [1500, 1400, 1300], 5), read(16, 5))
    for count in range(2, 8):
        write(0, count)
        time.sleep(1)
    check("a watchdog that moves holds it", limit()[0] == [150, 140, 130], limit())
    check("one that stands still is silence: the lower of fallback and failsafe", until(lambda: limit()[0] == [50] * 3, 8), limit())
    check("which the terminal can read", until(lambda: read(16, 1) == [2], 3), read(16, 1))
    check("a watchdog that moves again ends it", write(0, 99) and until(lambda: limit()[0] == [150, 140, 130], 3), limit())
    check("a limit in W is taken", write(2, 1, 0, 0, 0, 0, 33000) and until(lambda: limit()[0][0] < 50 and limit()[1] == "terminal", 3), limit())
    check("a value that means nothing is refused", not write(1, 2))
    check("what is only read cannot be written", not write(18, 5))
    check("a limit that ends by itself is written", write(2, 0, 900, 900, 900, 0, 0, 60) and until(lambda: limit() == ([90] * 3, "terminal"), 3), limit())
    hub.kill(); hub.wait(); hub = start(site)
    check("after a kill it holds, before the terminal speaks again", limit() == ([90] * 3, "terminal"), limit())
    check("and its silence is silence", until(lambda: limit()[0] == [50] * 3, 8), limit())
    check("written anew, it is back", write(0, 1, 1, 0, 900, 900, 900) and until(lambda: limit()[0] == [90] * 3, 3), limit())
    check("disabled, the failsafe is back", write(1, 0) and until(lambda: limit() == ([120] * 3, "failsafe"), 3), limit())
    check("another unit is not answered", poll("-r", "0", "-c", "1", "-1", "127.0.0.1", unit=8).returncode != 0)
    hub.terminate(); hub.wait(20)
    site["limit_server"]["allow"] = ["192.0.2.1"]
    hub = start(site)
    check("an address that is not named is not heard", not write(3, 1, 1, 1))
    hub.terminate(); hub.wait(20)
print(f"{check.failed} failed")
sys.exit(1 if check.failed else 0)
