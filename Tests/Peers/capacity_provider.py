"""PyPI `pyoscp` as capacity provider against `sluice run`: registration, handshake, forecasts, silence, and a kill in the middle of it.
pyoscp reads heartbeats only in a form of its own ("%Y-%m-%d %H:%M:%S", not a date-time), and answers ours with 500: that is left to it.

usage: capacity_provider.py PATH_OF_SLUICE          in an environment of its own with pyoscp, which wants older packages than the other peers"""
import atexit, json, logging, os, signal, socket, subprocess, sys, tempfile, threading, time, urllib.error, urllib.request
import requests
from flask import Flask
from oscp import createBlueprint
from oscp.RegistrationManager import RegistrationDictMan, createOscpHeader, lock
from checks import check, free_port, until

SLUICE = os.path.abspath(sys.argv[1])
FIRST = "a-first-token-of-32-characters-xx"
logging.disable(logging.CRITICAL)


class Provider:
    """What pyoscp hands over of adjustments, errors and measurements."""
    def __init__(self): self.heard = []
    def handleAdjustGroupCapacityForecast(self, payload, token): self.heard.append(("adjust", payload))
    def handleGroupCapacityComplianceError(self, payload, token): self.heard.append(("error", payload))
    def handleUpdateGroupMeasurements(self, payload, token): self.heard.append(("measurements", payload))
    def __getattr__(self, name): return lambda *arguments: self.heard.append((name, arguments))


with tempfile.TemporaryDirectory() as folder:
    stations, window, provider_port = free_port(), free_port(), free_port()
    base = f"http://127.0.0.1:{window}/oscp/2.0"
    site = {
        "id": "oscp", "supply": "3x230/400 V", "access": {"accept": "any"},
        "listen": [{"address": "127.0.0.1", "port": stations},
                   {"address": "127.0.0.1", "port": window, "for": ["people", "grid-operator"], "loopback_without_token": "operator"}],
        "connection": {"id": "connection", "limit_a": 200, "base_worst_a": 10},
        "stations": [{"id": "one", "model": "ocpp-conformant", "trust": "proven", "circuit": "connection",
                      "connectors": [{"number": 1, "rotation": "RST", "maximum_a": 32, "fallback_a": 6}]}],
        "planning": {"horizon_h": 6}, "relaxing": {"delay_s": 0, "ramp_s": 30},
        "oscp": {"group_id": "hub-1", "base_url": base, "token_file": "first-token", "source": "capacity provider", "heartbeat_s": 6, "fallback_a": 60}}
    json.dump(site, open(os.path.join(folder, "site.json5"), "w"))
    open(os.path.join(folder, "first-token"), "w").write(FIRST + "\n")
    manager, provider = RegistrationDictMan([{"version": "2.0", "base_url": f"http://127.0.0.1:{provider_port}/oscp/cp/2.0"}], os.path.join(folder, "endpoints.json")), Provider()
    app = Flask("capacity provider")
    app.register_blueprint(createBlueprint({"registrationmanager": manager, "capacityprovider": provider}, "cp"))
    threading.Thread(target=lambda: app.run("127.0.0.1", provider_port, threaded=True), daemon=True).start()

    atexit.register(lambda: hub.kill())
    def start():
        hub = subprocess.Popen([SLUICE, "run", os.path.join(folder, "site.json5"), "--state", os.path.join(folder, "state")], stderr=open(os.path.join(folder, "log"), "a"))
        assert until(lambda: socket.socket().connect_ex(("127.0.0.1", window)) == 0), open(os.path.join(folder, "log")).read()
        return hub

    def limit():
        with urllib.request.urlopen(f"http://127.0.0.1:{window}/v1/circuits/connection", timeout=10) as answer:
            circuit = json.loads(answer.read())
            return circuit["limit_a"][0], circuit["limit_source"]

    def say(path, body, token, method="post"):
        return getattr(requests, method)(f"{base}/{path}", headers=createOscpHeader(token), json=body).status_code

    def forecast(kind, amperes, begin=-60, end=3600):
        stamp = lambda offset: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + offset))
        return {"group_id": "hub-1", "type": kind, "forecasted_blocks": [
            {"capacity": amperes, "phase": "ALL", "unit": "A", "start_time": stamp(begin), "end_time": stamp(end)}]}

    def endpoints():
        """What pyoscp has written down; it writes its file in place, under this lock."""
        with lock: return manager.readJson()

    hub = start()
    check("the site's own limit holds before anybody registers", limit() == (200, "fuse"), limit())
    check("a wrong first token is refused", say("register", {}, "wrong") == 401)
    token_b = "b-token-by-which-the-hub-calls-the-provider"
    manager._updateService(token_b, FIRST, base)
    manager._send_register(base, token_b, FIRST)
    registered = lambda: endpoints().get(token_b, {}).get("register", {}).get("token")
    check("pyoscp is registered in turn, with a token of its own", until(lambda: registered() not in (None, FIRST)), endpoints())
    token_c = registered()
    check("nothing is taken before a handshake", say("update_group_capacity_forecast", forecast("CONSUMPTION", 90), token_c) == 403)
    hub.send_signal(signal.SIGKILL); hub.wait(); hub = start()
    check("after a kill in the middle the registration stands", say("handshake", {"required_behaviour": {"heartbeat_interval": 10}}, token_c) == 204)
    check("the handshake is acknowledged, as pyoscp spells it", until(lambda: endpoints().get(token_b, {}).get("required_behavior", {}).get("heartbeat_interval") == 6), endpoints())
    check("a forecast is taken", say("update_group_capacity_forecast", forecast("CONSUMPTION", 90), token_c) == 204)
    check("and bounds the connection", until(lambda: limit() == (90, "capacity provider"), 3), limit())
    check("a fallback is taken", say("update_group_capacity_forecast", forecast("FALLBACK_CONSUMPTION", 45), token_c) == 204)
    for _ in range(4):
        manager._send_heartbeat(base, 10, token_c)
        time.sleep(2)
    check("heartbeats hold it", limit() == (90, "capacity provider"), limit())
    manager._send_heartbeat(base, 10, token_c)
    hub.send_signal(signal.SIGKILL); hub.wait(); hub = start()
    check("after a kill the same limit holds, though nobody has spoken since", limit() == (90, "capacity provider"), limit())
    check("silence beyond the interval is the fallback", until(lambda: limit()[0] == 45, 12), limit())
    manager._send_heartbeat(base, 10, token_c)
    time.sleep(1)
    check("which a heartbeat alone does not end", limit()[0] == 45, limit())
    hub.send_signal(signal.SIGKILL); hub.wait(); hub = start()
    check("nor does a kill", limit()[0] == 45, limit())
    say("handshake", {"required_behaviour": {"heartbeat_interval": 10}}, token_c)
    speaking = threading.Event()
    def keep_speaking():
        while not speaking.wait(2): manager._send_heartbeat(base, 10, token_c)
    threading.Thread(target=keep_speaking, daemon=True).start()
    check("a new handshake does, by and by", 45 <= limit()[0] < 90 and until(lambda: limit()[0] == 90, 40), limit())
    # A vehicle that needs more than the forecast leaves it: the hub asks for more. A wish below the forecast is planned for, and bounds nothing.
    rig = subprocess.Popen([SLUICE, "rig", os.path.join(folder, "site.json5"), "--load", "L1L2L3", "--slowest", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ask(path, method="GET", body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{window}{path}", method=method, data=body and json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=10) as answer: return json.loads(answer.read())
    currents = lambda: next((s["currents_a"] for s in (ask("/v1/plan")["plan"] or {"sessions": []})["sessions"]), [])
    try:
        check("a vehicle charges", until(lambda: ask("/v1/sessions")["sessions"], 60))
        leaves = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3300))
        ask("/v1/connectors/one/1/need", "PUT", {"departure": leaves, "energy_wh": 12000})
        check("a forecast that leaves it too little is taken", say("update_group_capacity_forecast", forecast("CONSUMPTION", 18), token_c) == 204)
        asked = lambda: [payload for kind, payload in provider.heard if kind == "adjust"]
        check("the hub asks for more, and pyoscp hears it", until(asked, 60), provider.heard[-3:])
        blocks = asked()[-1]["forecasted_blocks"] if asked() else []
        check("in the forecast's unit, for the time in which it lacks", blocks and all(b["unit"] == "A" and 18 < b["capacity"] <= 200 and b["start_time"] < b["end_time"] for b in blocks), blocks)
        check("with enough for all nothing more is asked", say("update_group_capacity_forecast", forecast("CONSUMPTION", 150), token_c) == 204 and until(lambda: max(currents(), default=0) > 12 and limit()[0] == 150, 60), currents())
        asks = len(asked())
        check("a wish is taken", say("update_group_capacity_forecast", forecast("OPTIMUM", 22, end=7200), token_c) == 204)
        check("and planned for: 22 A, of which 10 A are others'", until(lambda: 0 < max(currents(), default=0) <= 12, 40), currents())
        check("but bounds nothing", limit() == (150, "capacity provider"), limit())
        check("and nothing was asked for", len(asked()) == asks, asked()[asks:])
    finally:
        rig.terminate()
        rig.wait(20)
        speaking.set()
    check("a wrong forecast is refused", say("update_group_capacity_forecast", {"group_id": "hub-1", "type": "CONSUMPTION", "forecasted_blocks": []}, token_c) == 400)
    check("another group is not here", say("update_group_capacity_forecast", {**forecast("CONSUMPTION", 9), "group_id": "x"}, token_c) == 404)
    check("whoever unregisters takes its limit along", requests.delete(f"{base}/register", headers=createOscpHeader(token_c)).status_code == 204 and until(lambda: limit()[0] == 175, 20), limit())
    check("which is let up in steps", until(lambda: limit() == (200, "fuse"), 25), limit())
    check("and is unknown then", say("heartbeat", {}, token_c) == 401)
    hub.terminate(); hub.wait(20)
hub.kill()
print(f"{check.failed} failed", flush=True)
os._exit(1 if check.failed else 0)
