"""A listener for each purpose, each with its own certificate, tried from outside: stations by PyPI `websockets`, people and the grid operator
by Python's `ssl` and `openssl s_client`; and the hub itself as a client of a capacity provider, whose certificate it has to check.

usage: listeners.py PATH_OF_SLUICE"""
import asyncio, hashlib, http.client, http.server, json, os, socket, ssl, subprocess, sys, tempfile, threading, time
import websockets

from checks import check, free_port, until

SLUICE = os.path.abspath(sys.argv[1])
FIRST = "a-first-token-of-32-characters-xx"


def certificate(folder, name):
    """A self-signed certificate for this machine and its key."""
    paths = os.path.join(folder, name + ".pem"), os.path.join(folder, name + ".key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", paths[1], "-out", paths[0]], check=True, capture_output=True)
    return paths


def trusting(path): return ssl.create_default_context(cafile=path)


def ask(port, path, trust, token=None, method="GET", body=None):
    """Status, or the name of what went wrong."""
    wire = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=trust) if trust else http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        wire.request(method, path, body=body, headers={"Authorization": ("Token " if "oscp" in path else "Bearer ") + token} if token else {})
        return wire.getresponse().status
    except (OSError, http.client.HTTPException) as problem: return type(problem).__name__
    finally: wire.close()


def shown(port):
    """The fingerprint of the certificate that a listener shows."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", port)))).hexdigest()
def fingerprint(path): return hashlib.sha256(ssl.PEM_cert_to_DER_cert(open(path).read())).hexdigest()


def handshake(port, version):
    run = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", version, "-cipher", "ALL:@SECLEVEL=0"] if version != "-tls1_3"
                         else ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", version], input="", capture_output=True, text=True, timeout=20)
    return "Cipher is (NONE)" not in run.stdout and "Cipher is" in run.stdout


async def boots(port, trust, path="/ocpp/one"):
    try:
        async with websockets.connect(f"{'wss' if trust else 'ws'}://127.0.0.1:{port}{path}", subprotocols=["ocpp1.6"], ssl=trust, open_timeout=10) as wire:
            await wire.send(json.dumps([2, "1", "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}]))
            while True:
                frame = json.loads(await asyncio.wait_for(wire.recv(), 10))
                if frame[0] == 3 and frame[1] == "1": return frame[2]["status"]
    except Exception as problem: return type(problem).__name__


class Provider(http.server.BaseHTTPRequestHandler):
    """The other end of OSCP, as far as it has to be for a registration."""
    heard = []

    def do_POST(self):
        Provider.heard.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
        self.send_response(204)
        self.end_headers()
    def log_message(self, *words): pass


with tempfile.TemporaryDirectory() as folder:
    names = ["stations", "people", "grid", "provider", "stranger"]
    files = {name: certificate(folder, name) for name in names}
    ports = {name: free_port() for name in names}
    state = os.path.join(folder, "state")
    for name in ("provider", "stranger"):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", ports[name]), Provider)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files[name])
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    tls = lambda name: {"certificate": name + ".pem", "key": name + ".key"}
    base = f"https://127.0.0.1:{ports['grid']}/oscp/2.0"
    site = {
        "id": "doors", "supply": "3x230/400 V", "access": {"accept": "any"},
        "listen": [{"address": "127.0.0.1", "port": ports["stations"], "tls": tls("stations")},
                   {"address": "127.0.0.1", "port": ports["people"], "for": ["people"], "tls": tls("people")},
                   {"address": "127.0.0.1", "port": ports["grid"], "for": ["grid-operator"], "tls": tls("grid")}],
        "connection": {"id": "connection", "limit_a": 200, "base_worst_a": 10},
        "stations": [{"id": "one", "model": "ocpp-conformant", "trust": "proven", "circuit": "connection",
                      "connectors": [{"number": 1, "rotation": "RST", "maximum_a": 32, "fallback_a": 6}]}],
        "oscp": {"group_id": "hub-1", "base_url": base, "token_file": "first-token", "trust": "provider.pem", "source": "capacity provider",
                 "heartbeat_s": 10, "fallback_a": 60}}
    json.dump(site, open(os.path.join(folder, "site.json5"), "w"))
    open(os.path.join(folder, "first-token"), "w").write(FIRST + "\n")
    hub = subprocess.Popen([SLUICE, "run", os.path.join(folder, "site.json5"), "--state", state], stderr=open(os.path.join(folder, "log"), "a"))
    try:
        assert until(lambda: socket.socket().connect_ex(("127.0.0.1", ports["grid"])) == 0), open(os.path.join(folder, "log")).read()
        made = lambda role: subprocess.run([SLUICE, "token", "make", "t-" + role, "--role", role, "--state", state], check=True, capture_output=True, text=True).stdout.strip()
        tokens = {role: made(role) for role in ["viewer", "operator", "grid-operator", "administrator"]}
        trust = {name: trusting(files[name][0]) for name in names}

        for name in names[:3]:
            check(f"{name}: shows its own certificate", shown(ports[name]) == fingerprint(files[name][0]))
            check(f"{name}: TLS 1.3 and 1.2 are spoken, 1.1 is not", handshake(ports[name], "-tls1_3") and handshake(ports[name], "-tls1_2") and not handshake(ports[name], "-tls1_1"))
            other = ask(ports[name], "/v1/site", trust["stranger"], tokens["administrator"])
            check(f"{name}: whoever trusts another authority refuses it", other == "SSLCertVerificationError", other)
            plain = ask(ports[name], "/v1/site", None, tokens["administrator"])
            check(f"{name}: speaks to nobody without TLS", not isinstance(plain, int), plain)
        for role, token in tokens.items():
            at_people, at_grid = ask(ports["people"], "/v1/site", trust["people"], token), ask(ports["grid"], "/v1/site", trust["grid"], token)
            check(f"a {role} is let in where it belongs", (at_people, at_grid) == {
                "administrator": (200, 200), "grid-operator": (403, 200)}.get(role, (200, 403)), (at_people, at_grid))
            at_stations = ask(ports["stations"], "/v1/site", trust["stations"], token)
            check(f"and nowhere near the stations", at_stations in (400, 404, 426), at_stations)
        check("without a token nobody is", ask(ports["people"], "/v1/site", trust["people"]) == 401 and ask(ports["grid"], "/v1/site", trust["grid"]) == 401)
        booted = asyncio.run(boots(ports["stations"], trust["stations"]))
        check("a station boots over TLS", booted == "Accepted", booted)
        check("not at the door for people", asyncio.run(boots(ports["people"], trust["people"])) not in ("Accepted",))
        refused = asyncio.run(boots(ports["stations"], trust["stations"], "/ocpp/unknown"))
        check("and not if nobody knows it", refused not in ("Accepted",), refused)

        def register(provider):
            body = json.dumps({"token": "b-token-of-the-provider", "version_url": [{"version": "2.0", "base_url": f"https://127.0.0.1:{ports[provider]}/oscp/cp/2.0"}]})
            wire = http.client.HTTPSConnection("127.0.0.1", ports["grid"], timeout=10, context=trust["grid"])
            wire.request("POST", "/oscp/2.0/register", body=body, headers={"Authorization": "Token " + FIRST, "X-Request-ID": "1", "Content-Type": "application/json"})
            return wire.getresponse().status
        check("OSCP is not at the door for people", ask(ports["people"], "/oscp/2.0/register", trust["people"], FIRST, "POST", "{}") in (401, 404, 405))
        check("a stranger's registration is taken", register("stranger") == 204)
        time.sleep(3)
        check("but the hub tells its token to nobody whose certificate it cannot check", not Provider.heard, Provider.heard)
        check("the provider's is answered over TLS", register("provider") == 204 and until(lambda: Provider.heard and Provider.heard[-1][0] == "/oscp/cp/2.0/register" and Provider.heard[-1][1]["token"], 10), Provider.heard)
    finally:
        hub.terminate()
        hub.wait(20)
print(f"{check.failed} failed")
sys.exit(1 if check.failed else 0)
