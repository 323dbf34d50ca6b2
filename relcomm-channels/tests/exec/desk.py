"""A channel that is a program, and the desk that it delivers to: a folder.

`DESK` is the folder, `FAULT` how the desk fails the call after the first `SPARED` ones, `HABIT` how the program is wrong, if it is.
"""

import fcntl
import json
import os
import sys
import time

DESK, FAULT, SPARED = os.environ["DESK"], os.environ["FAULT"], int(os.environ["SPARED"])
HABIT = os.environ["HABIT"]
LATER = {"effect": "not-sent", "retry": "backoff"}
NEVER = {"effect": "not-sent", "retry": "never"}
WAIT = {"effect": "not-sent", "retry": {"after_ms": 7000}}
# How the desk refuses before it is given anything.
REFUSALS = {
    "CutEarly": {"kind": "connect", **LATER},
    "TooLarge": {"kind": "too-large", "scope": "message", **NEVER},
    "BadCredentials": {"kind": "authentication", "scope": "channel", **NEVER},
    "Busy": {"kind": "unavailable", **LATER},
    "BusyFor": {"kind": "unavailable", **WAIT},
    "RateLimited": {"kind": "rate-limited", "scope": "endpoint", **LATER},
    "RateLimitedFor": {"kind": "rate-limited", "scope": "endpoint", **WAIT},
    "Redirect": {"kind": "policy", **NEVER},
}
# How it refuses what it was given.
REJECTIONS = {
    "Cut": {"kind": "connect", "effect": "maybe-sent", "retry": "backoff"},
    "Crashed": {"kind": "unavailable", "effect": "maybe-sent", "retry": "backoff"},
    "RejectContent": {"kind": "content-rejected", "scope": "message", **NEVER},
    "ErrorInSuccess": {"kind": "content-rejected", **NEVER},
}


def say(**line):
    print(json.dumps(line), flush=True)


def held(name):
    """A file of the desk that nobody else writes meanwhile."""
    file = open(os.path.join(DESK, name), "a+")
    fcntl.flock(file, fcntl.LOCK_EX)
    file.seek(0)
    return file


def call():
    """Counts a call; the fault that strikes it."""
    with held("calls") as calls:
        number = len(calls.read())
        calls.write(".")
    return FAULT if number == SPARED else ""


def keep(message):
    """Takes a message over; one under a known key is the same one."""
    with held("arrivals") as arrivals:
        known = [json.loads(line)["key"] for line in arrivals]
        if message["key"] not in known:
            arrivals.write(json.dumps(message) + "\n")


def deliver(number, item, parts):
    fault = call()
    if fault == "StallEarly":
        time.sleep(3600)
    if fault in REFUSALS:
        return say(failed={"item": number, "message": "the desk refuses", **REFUSALS[fault]})
    if item["address"] == "gone@desk.test":
        words = f"there is no {item['address']}"
        return say(failed={"item": number, "kind": "recipient-invalid", "message": words, **NEVER})
    if HABIT == "tardy":
        keep({"key": item["key"], "to": item["address"], **parts})
    say(crossing=number)
    if json.loads(sys.stdin.readline()) != {"go": number}:
        sys.exit(1)
    if fault == "Stall":
        time.sleep(3600)
    if fault == "Garbage":
        return print("well, yes", flush=True)
    if fault in REJECTIONS:
        return say(failed={"item": number, **REJECTIONS[fault]})
    keep({"key": item["key"], "to": item["address"], **parts})
    if fault == "StallAccepted":
        time.sleep(3600)
    if fault == "LoseAnswer":
        sys.exit(1)
    if fault == "TruncatedAnswer":
        print('{"accep', end="", flush=True)
        sys.exit(1)
    if fault == "SlowAnswer":
        time.sleep(0.2)
    say(accepted={"item": number, "reference": "ticket 7"})


def main():
    task = json.loads(sys.stdin.readline())
    if task["do"] == "describe":
        limits = [{"part": "subject", "max": 90, "unit": "bytes", "on_excess": "reject"}]
        return say(
            relcomm=1, kind="desk", addressing="each", proves="accepted", deduplication="by-key", limits=limits,
            per_call=3, concurrency=4, crossings=True, lookup=True,
        )
    if task["do"] == "lookup":
        with held("arrivals") as arrivals:
            there = any(json.loads(line)["key"] == task["key"] for line in arrivals)
        return say(found="accepted" if there else None)
    if FAULT == "Unreachable":
        return say(error={"kind": "connect", "scope": "channel", "message": "no connection", **LATER})
    if task["do"] == "verify":
        if FAULT == "SmallLimit":
            say(finding="the desk takes 8 octets")
        return say(done=True)
    if FAULT == "SmallLimit":
        return say(error={"kind": "too-large", "scope": "message", "message": "more than it takes", **NEVER})
    parts = {part["name"]: part["content"] for part in task["parts"]}
    for number, item in enumerate(task["items"]):
        deliver(number, item, parts)
    say(done=True)


main()
