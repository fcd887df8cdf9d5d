#!/usr/bin/env python3
"""A charge point that nobody here wrote (PyPI `ocpp`) against a running `sluice run`.

usage: ocpp_station.py PATH/TO/sluice

Boots, authorises, charges, receives its profiles, reports what it draws, lives through the death of the controller (SIGKILL) with its
transaction, and stops. Then the journal's chain is verified and its decisions are thought again. The meter is `sluice meter serve`.
Prints each promise; ends with status 1 at the first that is broken.
"""
import asyncio
import datetime
import os
import signal
import socket
import subprocess
import sys
import tempfile

import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result
from ocpp.v16.enums import Action

SLUICE = os.path.abspath(sys.argv[1])
STEP = 60  # seconds that any single step may take


def promise(what, holds):
    print(f"{'holds ' if holds else 'BROKEN'} {what}", flush=True)
    if not holds:
        sys.exit(1)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Station(ChargePoint):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.profiles = asyncio.Queue()
        self.defaults = {}

    @on(Action.get_configuration)
    def configuration(self, key=None, **_):
        values = {"ChargeProfileMaxStackLevel": "8", "ChargingScheduleAllowedChargingRateUnit": "Current",
                  "ChargingScheduleMaxPeriods": "24", "MaxChargingProfilesInstalled": "10", "NumberOfConnectors": "1"}
        asked = key or list(values)
        known = [{"key": k, "readonly": True, "value": values[k]} for k in asked if k in values]
        return call_result.GetConfiguration(configuration_key=known, unknown_key=[k for k in asked if k not in values])

    @on(Action.change_configuration)
    def change(self, **_):
        return call_result.ChangeConfiguration(status="Accepted")

    @on(Action.set_charging_profile)
    def profile(self, connector_id, cs_charging_profiles):
        if cs_charging_profiles["charging_profile_purpose"] == "TxProfile":
            self.profiles.put_nowait(cs_charging_profiles)
        else:
            self.defaults[connector_id] = cs_charging_profiles
        return call_result.SetChargingProfile(status="Accepted")

    @on(Action.clear_charging_profile)
    def clear(self, **_):
        return call_result.ClearChargingProfile(status="Unknown")

    @on(Action.get_composite_schedule)
    def composite(self, **_):
        return call_result.GetCompositeSchedule(status="Rejected")

    @on(Action.trigger_message)
    def trigger(self, **_):
        return call_result.TriggerMessage(status="NotImplemented")

    async def sample(self, transaction, amperes):
        values = [{"value": str(amperes), "measurand": "Current.Import", "phase": p, "unit": "A"} for p in ("L1", "L2", "L3")]
        values.append({"value": "1500", "measurand": "Energy.Active.Import.Register", "unit": "Wh"})
        await self.call(call.MeterValues(connector_id=1, transaction_id=transaction,
                                         meter_value=[{"timestamp": now(), "sampled_value": values}]))


async def connect(port, identity):
    for _ in range(200):  # the controller may still be opening its journal
        try:
            socket_ = await websockets.connect(f"ws://127.0.0.1:{port}/ocpp/{identity}", subprotocols=["ocpp1.6"])
            break
        except OSError:
            await asyncio.sleep(0.1)
    else:
        promise("the controller listens", False)
    station = Station(identity, socket_)
    return station, asyncio.create_task(station.start())


async def refused(port, identity):
    try:
        await websockets.connect(f"ws://127.0.0.1:{port}/ocpp/{identity}", subprotocols=["ocpp1.6"])
    except websockets.exceptions.InvalidStatus as status:
        return status.response.status_code
    return None


async def until(condition):
    async with asyncio.timeout(STEP):
        while not condition():
            await asyncio.sleep(0.05)


async def live(folder):
    port, meter_port = free_port(), free_port()
    site = os.path.join(folder, "site.json5")
    with open(site, "w") as file:
        file.write(f"""{{
          id: "peer", name: "Peer", time_zone: "Europe/Amsterdam", supply: "3x230/400 V",
          access: {{ tags: ["GUEST-1"] }}, listen: [{{ address: "127.0.0.1", port: {port} }}],
          meters: [{{ id: "grid", profile: "eastron-sdm630", tcp: "127.0.0.1:{meter_port}", unit: 1 }}],
          connection: {{ id: "connection", limit_a: 25, base_worst_a: 10, meter: {{ id: "grid", phases: "RST" }} }},
          stations: [{{ id: "CP:1", model: "ocpp-conformant", trust: "proven", circuit: "connection",
            connectors: [{{ number: 1, rotation: "RST", maximum_a: 32, fallback_a: 6 }}] }}],
        }}""")
    meter = subprocess.Popen([SLUICE, "meter", "serve", "--profile", "eastron-sdm630", "--tcp", str(meter_port), "--unit", "1",
                              "--current", "5,5,5"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    state = os.path.join(folder, "state")
    log = open(os.path.join(folder, "log"), "w")
    hub = subprocess.Popen([SLUICE, "run", site, "--state", state], stderr=log)
    try:
        station, listening = await connect(port, "CP%3A1")
        async with asyncio.timeout(STEP):
            boot = await station.call(call.BootNotification(charge_point_vendor="Peer", charge_point_model="One"))
        promise("a boot is accepted", boot.status == "Accepted")
        await station.call(call.StatusNotification(connector_id=1, error_code="NoError", status="Available"))
        promise("an unknown station is refused with 404", await refused(port, "CP2") == 404)
        await until(lambda: 1 in station.defaults)
        limit = station.defaults[1]["charging_schedule"]["charging_schedule_period"][0]["limit"]
        promise("the fallback of 6 A is installed before anything is granted", limit == 6 and station.profiles.empty())
        heart = await station.call(call.Heartbeat())
        promise("a heartbeat tells the time", heart.current_time.endswith("Z"))

        good = await station.call(call.Authorize(id_tag="guest-1"))
        bad = await station.call(call.Authorize(id_tag="stranger"))
        promise("an id tag is compared without regard to case", good.id_tag_info["status"] == "Accepted")
        promise("an unknown id tag is invalid", bad.id_tag_info["status"] == "Invalid")
        await station.call(call.StatusNotification(connector_id=1, error_code="NoError", status="Preparing"))
        start = call.StartTransaction(connector_id=1, id_tag="GUEST-1", meter_start=1000, timestamp=now())
        begun = await station.call(start)
        again = await station.call(start)
        promise("the same start sent again is the same transaction", begun.transaction_id == again.transaction_id > 0)
        await station.call(call.StatusNotification(connector_id=1, error_code="NoError", status="Charging"))
        async with asyncio.timeout(STEP):
            while True:
                profile = await station.profiles.get()
                periods = profile["charging_schedule"]["charging_schedule_period"]
                await station.sample(begun.transaction_id, 0)
                if periods[0]["limit"] > 6:
                    break
        promise("the profile names its transaction", profile["transaction_id"] == begun.transaction_id)
        promise("it is no more than the meter leaves: 25 A less 5 A", periods[0]["limit"] <= 20)
        promise("it ends in the fallback by itself", periods[-1]["limit"] == 6 and 0 < periods[-1]["start_period"] <= 660)
        promise("it is absolute and begins in the past",
                profile["charging_profile_kind"] == "Absolute" and profile["charging_schedule"]["start_schedule"] < now())

        hub.send_signal(signal.SIGKILL)
        hub.wait()
        listening.cancel()
        hub = subprocess.Popen([SLUICE, "run", site, "--state", state], stderr=log)
        station, listening = await connect(port, "CP%3A1")
        await station.call(call.StatusNotification(connector_id=1, error_code="NoError", status="Charging"))
        await station.sample(begun.transaction_id, 6)
        async with asyncio.timeout(STEP):
            profile = await station.profiles.get()
        promise("after SIGKILL the controller knows the transaction", profile["transaction_id"] == begun.transaction_id)
        stop = await station.call(call.StopTransaction(meter_stop=1600, timestamp=now(), transaction_id=begun.transaction_id))
        promise("a stop is answered", stop is not None)
        orphan = await station.call(call.StopTransaction(meter_stop=1, timestamp=now(), transaction_id=987654))
        promise("so is the stop of a transaction that nobody knows", orphan is not None)
        second = await station.call(call.StartTransaction(connector_id=1, id_tag="GUEST-1", meter_start=1600, timestamp=now()))
        promise("a transaction id is never repeated", second.transaction_id not in (0, begun.transaction_id))
        hub.send_signal(signal.SIGTERM)
        promise("SIGTERM ends it cleanly", hub.wait(timeout=STEP) == 0)
        listening.cancel()
    finally:
        for process in (hub, meter):
            if process.poll() is None:
                process.kill()
        log.close()
    for verb in ("verify", "replay"):
        done = subprocess.run([SLUICE, "journal", verb, state], capture_output=True, text=True)
        print(done.stdout.strip())
        promise(f"journal {verb} agrees", done.returncode == 0)


with tempfile.TemporaryDirectory() as folder:
    try:
        asyncio.run(live(folder))
    except BaseException:
        path = os.path.join(folder, "log")
        if os.path.exists(path):
            print(open(path).read()[-4000:])
        raise
