#!/usr/bin/env python3
"""Holds every frame of .build/ocpp-frames.jsonl against the JSON schemas that the PyPI package `ocpp` ships.

The file is written by the test StrictSendingTests. Needs: pip install ocpp
Usage: ocpp_schemas.py [FILE]
Ends with 1 if a frame is refused, or if an action that stations or we send is missing.
"""
import asyncio
import inspect
import json
import pathlib
import sys

from ocpp.messages import Call, CallResult, validate_payload

ERROR_CODES = {
    "NotImplemented", "NotSupported", "InternalError", "ProtocolError", "SecurityError", "FormationViolation",
    "PropertyConstraintViolation", "OccurenceConstraintViolation", "TypeConstraintViolation", "GenericError",
}
EXPECTED = {
    "central": {
        "SetChargingProfile", "ClearChargingProfile", "GetCompositeSchedule", "TriggerMessage", "ChangeAvailability",
        "RemoteStartTransaction", "RemoteStopTransaction", "UnlockConnector", "Reset", "GetConfiguration", "ChangeConfiguration",
        "ClearCache", "GetDiagnostics",
    },
    "station": {
        "BootNotification", "Heartbeat", "StatusNotification", "Authorize", "StartTransaction", "MeterValues", "StopTransaction",
        "DataTransfer", "DiagnosticsStatusNotification", "FirmwareStatusNotification",
    },
}


def validate(message):
    outcome = validate_payload(message, "1.6")
    if inspect.isawaitable(outcome):  # a coroutine in later versions of the package
        asyncio.run(outcome)


def check(frame, action):
    kind, message_id = frame[0], frame[1]
    if not (isinstance(message_id, str) and len(message_id) <= 36):
        raise ValueError("message id")
    if kind == 2 and len(frame) == 4:
        validate(Call(message_id, frame[2], frame[3]))
    elif kind == 3 and len(frame) == 3:
        validate(CallResult(message_id, frame[2], action))
    elif kind == 4 and len(frame) == 5:
        if frame[2] not in ERROR_CODES or len(frame[3]) > 255 or not isinstance(frame[4], dict):
            raise ValueError("CALLERROR")
    else:
        raise ValueError("form of the frame")


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    path = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else root / ".build" / "ocpp-frames.jsonl"
    seen = {"central": set(), "station": set()}
    frames = refused = 0
    for line in path.read_text().splitlines():
        entry = json.loads(line)
        frame, action = entry["frame"], entry["action"]
        # The one frame whose action no schema knows is sent on purpose, and so is its CALLERROR.
        if action == "Frobnicate" and frame[0] == 2:
            continue
        frames += 1
        if frame[0] == 2:
            seen[entry["from"]].add(action)
        try:
            check(frame, action)
        except Exception as error:
            refused += 1
            print(f"refused: {line}\n  {type(error).__name__}: {error}")
    missing = {who: sorted(actions - seen[who]) for who, actions in EXPECTED.items() if actions - seen[who]}
    if missing:
        print(f"never sent: {missing}")
    print(f"{frames} frames, {refused} refused")
    return 1 if refused or missing or not frames else 0


if __name__ == "__main__":
    sys.exit(main())
