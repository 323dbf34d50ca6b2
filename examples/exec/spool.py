#!/usr/bin/env python3
"""A channel for relcomm in Python 3, without more than its standard library: each message becomes a file, named by its key, in the
directory SPOOL. The same key gives the same file, so a repeat is recognised. The protocol is described at `relcomm_channels::exec`.

    chat: { kind: exec, program: ./spool.py, env: { SPOOL: /var/spool/releases } }    # in channels.yaml
    relcomm contract --exec ./spool.py
"""
import json, os, sys
from pathlib import Path

import trial

DESCRIPTION = {
    "kind": "spool", "deduplication": "by-key", "lookup": True, "address": "[a-z][a-z0-9-]*", "concurrency": 4, "per_call": 20,
    "parts": [{"name": "subject", "max": 200}, {"name": "text"}],
    "trial": {"addresses": ["ops", "press", "staff"], "refused": "nobody"},
}
SPOOL = Path(os.environ.get("RELCOMM_TRIAL") or os.environ.get("SPOOL") or sys.exit("SPOOL names no directory"))
CLOSED = os.environ.get("CLOSED", "nobody").split()


def say(**line):
    print(json.dumps(line), flush=True)


def keep(out, text):
    """Written under another name first, so that a file is there as a whole or not at all."""
    part = SPOOL / f".{out['key']}.{os.getpid()}"
    part.write_text(json.dumps({"to": out.get("address"), "key": out["key"], **text}, ensure_ascii=False), encoding="utf-8")
    part.rename(SPOOL / f"{out['key']}.json")


def attempt(request):
    for out in request["items"]:
        item, fault = out["item"], trial.fault_of_next(SPOOL)
        if out.get("address") in CLOSED:
            say(item=item, failed="recipient-invalid", message="the box is closed")
            continue
        fault.strike("early")
        if fault.refusal:
            say(item=item, **fault.refusal)
            continue
        # From here on the file may be there: it is said before, and waited for.
        say(item=item, crossing=True)
        if not json.loads(sys.stdin.readline())["go"]:
            continue
        fault.strike("before")
        try:
            keep(out, request["text"])
        except OSError as error:
            say(item=item, failed="unavailable", effect="not-sent", message=os.strerror(error.errno or 0))
            continue
        fault.strike("after")
        say(item=item, accepted="accepted", reference=out["key"])
    say(done=True)


def main():
    request = json.loads(sys.stdin.readline())
    match request["do"]:
        case "describe":
            say(**DESCRIPTION)
        case "attempt":
            attempt(request)
        case "lookup":
            say(lookup="found" if (SPOOL / f"{request['key']}.json").exists() else "absent")
            say(done=True)
        case "verify":
            if not os.access(SPOOL, os.W_OK):
                say(finding="error", message="the spool is no directory that can be written to")
            say(done=True)
        case "seen" | "fault":  # asked only by `relcomm contract`
            trial.answer(request, SPOOL, say)
        case other:
            say(failed="unsupported", message=f"{other} is not known here")


if __name__ == "__main__":
    main()
