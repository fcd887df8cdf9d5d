"""Somebody hostile at each door of `sluice run`: values that sums cannot bear, times that no year has, texts without end, frames that are
none. Each once ended a controller or could have; after each the hub has to live and to answer, also after a kill.

usage: hostile.py PATH_OF_SLUICE"""
import asyncio, json, os, socket, struct, subprocess, sys, tempfile, threading, time, urllib.error, urllib.request
import websockets

from checks import check, free_port, until

SLUICE = os.path.abspath(sys.argv[1])
LAST = "9999-12-31T23:59:59-01:00"  # a time with its zone that is of the year 10000 in UTC


class Meter:
    """An SDM630 that shows what it is told, until it is silent."""

    def __init__(self):
        self.values, self.wires, self.isSilent = [20.0, 21.0, 22.0], [], False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            wire, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(wire,), daemon=True).start()

    def registers(self):
        words = [0] * 400
        currents = [value + time.time() % 0.5 for value in self.values]
        shown = {0: 230.0, 2: 230.0, 4: 230.0, 0x34: 230 * sum(currents), 0x46: 50.0, 0x48: 1000.0, 0x4A: 5.0}
        for i, current in enumerate(currents): shown[6 + 2 * i], shown[12 + 2 * i] = current, 230 * current
        for place, value in shown.items(): words[place:place + 2] = struct.unpack(">HH", struct.pack(">f", value if value != value else max(-3.4e38, min(3.4e38, value))))
        return words

    def serve(self, wire):
        try:
            while head := wire.recv(12, socket.MSG_WAITALL):
                if self.isSilent: continue
                number, _, _, unit, function, address, count = struct.unpack(">HHHBBHH", head)
                body = struct.pack(f">BBB{count}H", unit, function, 2 * count, *self.registers()[address:address + count])
                wire.sendall(struct.pack(">HHH", number, 0, len(body)) + body)
        except (OSError, struct.error): pass


class Hub:
    def __init__(self, folder, meter):
        self.folder, self.stations, self.window = folder, free_port(), free_port()
        station = lambda name: {"id": name, "model": "ocpp-conformant", "trust": "proven", "circuit": "connection",
                                "connectors": [{"number": 1, "rotation": "RST", "maximum_a": 32, "fallback_a": 6}]}
        site = {
            "id": "hostile", "supply": "3x230/400 V", "access": {"accept": "any"}, "planning": {"horizon_h": 24, "tariff": "prices.csv", "peak_eur_per_kw": 4},
            "listen": [{"address": "127.0.0.1", "port": self.stations},
                       {"address": "127.0.0.1", "port": self.window, "for": ["people"], "loopback_without_token": "administrator", "requests_per_s": 1000}],
            "meters": [{"id": "grid", "profile": "eastron-sdm630", "tcp": f"127.0.0.1:{meter.port}", "unit": 1, "period_s": 1}],
            "connection": {"id": "connection", "limit_a": 125, "base_worst_a": 40, "meter": {"id": "grid", "phases": "RST"}},
            "stations": [station("one"), station("two")]}
        json.dump(site, open(os.path.join(folder, "site.json5"), "w"))
        # The usual last line of a tariff that shall never end.
        open(os.path.join(folder, "prices.csv"), "w").write("from,eur_per_kwh\n2025-01-01T00:00:00Z,0.30\n9999-12-31T00:00:00Z,0.25\n")
        self.start()

    def start(self):
        self.log = open(os.path.join(self.folder, "log"), "a")
        self.process = subprocess.Popen([SLUICE, "run", os.path.join(self.folder, "site.json5"), "--state", os.path.join(self.folder, "state")], stderr=self.log)
        assert until(lambda: self.isWell() or self.process.poll() is not None), open(self.log.name).read()

    def ask(self, path, method="GET", body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.window}{path}", method=method, data=body and json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=10) as answer: return answer.status
        except urllib.error.HTTPError as error: return error.code
        except OSError: return None

    def isWell(self): return self.ask("/healthz") == 200
    def memory(self): return next(int(l.split()[1]) for l in open(f"/proc/{self.process.pid}/status") if l.startswith("VmRSS")) / 1000

    def lives(self, what):
        holds = self.process.poll() is None and until(self.isWell, 5)
        check(what, holds, self.process.poll())
        if not holds:
            sys.stdout.write(open(self.log.name).read()[-3000:])
            self.start()


class Station:
    def __init__(self, hub, name): self.hub, self.name, self.number, self.answers = hub, name, 0, {}

    async def open(self):
        self.wire = await websockets.connect(f"ws://127.0.0.1:{self.hub.stations}/ocpp/{self.name}", subprotocols=["ocpp1.6"], max_size=None)
        self.listening = asyncio.ensure_future(self.listen())
        await self.call("BootNotification", {"chargePointVendor": "v", "chargePointModel": "m"})
        await self.status("Preparing")

    async def listen(self):
        try:
            async for text in self.wire:
                frame = json.loads(text)
                if frame[0] != 2: self.answers[frame[1]] = frame
                elif frame[2] == "GetConfiguration":
                    keys = {"ChargeProfileMaxStackLevel": "8", "ChargingScheduleAllowedChargingRateUnit": "Current", "ChargingScheduleMaxPeriods": "24"}
                    await self.wire.send(json.dumps([3, frame[1], {"configurationKey": [{"key": k, "readonly": False, "value": v} for k, v in keys.items()]}]))
                else: await self.wire.send(json.dumps([3, frame[1], {"status": "Accepted"}]))
        except websockets.ConnectionClosed: pass

    async def call(self, action, payload, id=None):
        self.number += 1
        id = id or f"{self.name}-{self.number}"
        await self.wire.send(json.dumps([2, id, action, payload]))
        for _ in range(200):
            if id in self.answers: return self.answers.pop(id)
            await asyncio.sleep(0.02)

    async def status(self, status, **more):
        await self.call("StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": status, **more})

    async def begin(self, at):
        answer = await self.call("StartTransaction", {"connectorId": 1, "idTag": "tag", "meterStart": 0, "timestamp": at})
        await self.status("Charging")
        return answer[2].get("transactionId") if answer and answer[0] == 3 else None

    async def measure(self, value, transaction):
        currents = [{"value": value, "measurand": "Current.Import", "unit": "A", "phase": f"L{i}"} for i in (1, 2, 3)]
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        await self.call("MeterValues", {"connectorId": 1, "transactionId": transaction, "meterValue": [{"timestamp": now, "sampledValue": currents}]})


async def attack(hub, meter):
    one, two = Station(hub, "one"), Station(hub, "two")
    await one.open()
    await two.open()
    transaction = await one.begin(LAST)
    other = await two.begin(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
    check("a transaction that begins in a year that is none is answered", transaction is not None)
    ask = lambda *words: asyncio.get_running_loop().run_in_executor(None, hub.ask, *words)
    for path in [f"/v1/transactions/{transaction}", f"/v1/transactions/{transaction}?at={LAST}", "/v1/sessions", "/v1/events?limit=1000", "/metrics"]:
        await ask(path)
        hub.lives(f"whoever looks at it does no harm: {path[:40]}")
    for value in ["-999999999999", "-340000", "1e300", "NaN", "99999999999999999999999999", "-0"]:
        for _ in range(6):
            await one.measure(value, transaction)
            await two.measure(value, other)
            await asyncio.sleep(0.3)
        hub.lives(f"stations that measure {value} A")
    check("a departure far away is taken", await ask("/v1/connectors/two/1/need", "PUT", {"departure": "9999-12-31T23:59:59Z", "energy_wh": 50000}) == 200)
    begun = time.monotonic()
    check("and nobody waits for it", await two.call("Heartbeat", {}) is not None and time.monotonic() - begun < 2)
    before = hub.memory()
    for _ in range(2000): await one.wire.send(json.dumps([2, f"i{_}", "StatusNotification", {"connectorId": 1, "errorCode": "NoError", "status": "Charging", "info": "x" * 60_000}]))
    await one.call("Heartbeat", {})
    check("two thousand long stories fill no memory", hub.memory() < before + 150, f"{before:.0f} -> {hub.memory():.0f} MB")
    await one.call("Heartbeat", {}, id="h" * 60_000)
    for frame in ["[" * 20_000, "{}", "[2]", '[2,"a","Heartbeat",' + "[" * 5000 + "]" * 5000 + "]", '[2,"\\ud800","Heartbeat",{}]', '[3,"nobody",{}]', "\x00"]:
        try: await one.wire.send(frame)
        except websockets.ConnectionClosed: await one.open()
    hub.lives("frames that are none")
    with socket.create_connection(("127.0.0.1", hub.stations)) as wire:
        wire.sendall(b"GET /ocpp/one HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                     b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: ocpp1.6\r\n\r\n")
        wire.recv(4096)
        wire.sendall(b"\x81\x84\x00\x00\x00\x00\xff\xfe\xfd\xfc")  # text that is no UTF-8
    hub.lives("a text frame that is no text")
    blocks = [{"from": f"2099-01-01T{i // 60:02}:{i % 60:02}:00Z", "until": f"2099-01-01T{i // 60:02}:{i % 60:02}:30Z", "limit_a": i % 50} for i in range(500)]
    for n in range(5): await ask(f"/v1/limits/blocks-{n}", "PUT", {"blocks": blocks})
    check("a limit until the last second of all is taken", await ask("/v1/limits/for-ever", "PUT", {"limit_a": 60, "until": "9999-12-31T23:59:59Z"}) == 200)
    check("one beyond is not", await ask("/v1/limits/longer", "PUT", {"limit_a": 60, "until": LAST}) in (400, 422))
    hub.lives("limits without an end")
    for values in ([3e38] * 3, [float("nan")] * 3, [-3e38, 0, 0], [0.0] * 3):
        meter.values = values
        await asyncio.sleep(2.5)
        hub.lives(f"a meter that shows {values[0]}")
    for station in (one, two): await station.wire.close()
    meter.isSilent = True
    await asyncio.sleep(12)
    hub.lives("a silent meter, nobody there, and nothing to be waited for but the end of time")


with tempfile.TemporaryDirectory(prefix="sluice-hostile-") as folder:
    meter = Meter()
    hub = Hub(folder, meter)
    asyncio.run(attack(hub, meter))
    hub.process.kill(); hub.process.wait()
    hub.start()
    hub.lives("after a kill all that is still in the journal")
    hub.process.terminate()
    check("it ends in order", hub.process.wait(20) == 0, hub.process.returncode)
    verified = subprocess.run([SLUICE, "journal", "verify", os.path.join(folder, "state")], capture_output=True, text=True)
    check("and the journal is whole", verified.returncode == 0, verified.stdout + verified.stderr)
print(f"{check.failed} failed")
sys.exit(1 if check.failed else 0)
