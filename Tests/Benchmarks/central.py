"""The peer: a central system on PyPI `ocpp` and `websockets`, written as their documentation shows it.

    central.py PORT [--tls CERTIFICATE KEY]

It accepts every station, answers what stations say, and at SIGUSR1 sends a SetChargingProfile to each of them, at once: 10 A and 14 A
in turn. It works nothing out: no meter, no fuse, no journal.
"""
import asyncio
import itertools
import signal
import ssl
import sys
from datetime import datetime, timezone

import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import Action, AuthorizationStatus, RegistrationStatus

present = {}
transactions = itertools.count(1)


def now():
    return datetime.now(timezone.utc).isoformat()


class Station(ChargePoint):
    transaction = None

    @on(Action.boot_notification)
    def booted(self, **_):
        return call_result.BootNotification(current_time=now(), interval=300, status=RegistrationStatus.accepted)

    @on(Action.heartbeat)
    def beat(self):
        return call_result.Heartbeat(current_time=now())

    @on(Action.status_notification)
    def status_told(self, **_):
        return call_result.StatusNotification()

    @on(Action.start_transaction)
    def started(self, **_):
        self.transaction = next(transactions)
        return call_result.StartTransaction(
            transaction_id=self.transaction, id_tag_info={"status": AuthorizationStatus.accepted})

    @on(Action.meter_values)
    def sampled(self, **_):
        return call_result.MeterValues()

    async def limit(self, amperes):
        profile = {
            "chargingProfileId": 1, "transactionId": self.transaction, "stackLevel": 0, "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": {
                "startSchedule": now(), "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": amperes}]},
        }
        await self.call(call.SetChargingProfile(connector_id=1, cs_charging_profiles=profile))


async def connected(socket):
    name = socket.request.path.rsplit("/", 1)[-1]
    station = present[name] = Station(name, socket)
    try:
        await station.start()
    except websockets.ConnectionClosed:
        pass
    finally:
        if present.get(name) is station:
            del present[name]


async def main():
    context = None
    if "--tls" in sys.argv:
        place = sys.argv.index("--tls")
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(sys.argv[place + 1], sys.argv[place + 2])
    limits = itertools.cycle([10.0, 14.0])
    running = set()

    def send_all():
        amperes = next(limits)
        for station in list(present.values()):
            task = asyncio.ensure_future(station.limit(amperes))
            running.add(task)
            task.add_done_callback(running.discard)

    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, send_all)
    async with websockets.serve(
            connected, "127.0.0.1", int(sys.argv[1]), subprotocols=["ocpp1.6"], ssl=context, open_timeout=120, backlog=4096):
        print("listening", flush=True)
        await asyncio.Future()


asyncio.run(main())
