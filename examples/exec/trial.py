"""For tests alone: a far side that counts, is seen, and fails as it is told to. `spool.py` asks it at the points where it could fail."""
import json, os, sys, time

# What a busy or strict far side says.
REFUSALS = {
    "busy": {"failed": "unavailable"},
    "busy-for": {"failed": "unavailable", "retry": 7},
    "rate-limited": {"failed": "rate-limited"},
    "rate-limited-for": {"failed": "rate-limited", "retry": 7},
    "reject-content": {"failed": "content-rejected"},
    "too-large": {"failed": "too-large"},
    "bad-credentials": {"failed": "authentication"},
}


def hang():
    time.sleep(600)


def utter(words):
    """Says that and dies."""
    print(words, end="", flush=True)
    sys.exit(1)


# When it happens - early: before anything is out; before and after: the message is kept - and what.
STROKES = {
    "stall-early": ("early", hang),
    "cut-early": ("early", sys.exit),
    "stall": ("before", hang),
    "cut": ("before", sys.exit),
    "crashed": ("before", lambda: sys.exit(3)),
    "garbage": ("before", lambda: utter("220 well, yes\n")),
    "stall-accepted": ("after", hang),
    "lose-answer": ("after", sys.exit),
    "truncated-answer": ("after", lambda: utter('{"item": 0, "acc')),
    "slow-answer": ("after", lambda: time.sleep(0.05)),
}


class Fault:
    def __init__(self, name=None):
        self.refusal = REFUSALS.get(name)
        self.when, self.stroke = STROKES.get(name, (None, None))

    def strike(self, when):
        if self.when == when:
            self.stroke()


def fault_of_next(spool):
    """What happens to the next message. Outside of tests: nothing."""
    if "RELCOMM_TRIAL" not in os.environ:
        return Fault()
    with open(spool / ".calls", "ab") as calls:
        calls.write(b".")
        number = calls.tell()
    plot = spool / ".fault"
    told = json.loads(plot.read_text()) if plot.exists() else {"after": -1}
    return Fault(told["fault"]) if number == told["after"] + 1 else Fault()


def answer(request, spool, say):
    if request["do"] == "fault":
        (spool / ".fault").write_text(json.dumps(request))
        known = request["fault"] in REFUSALS or request["fault"] in STROKES
        say(**({"done": True} if known else {"cannot": "a spool has no way to fail so"}))
        return
    for file in sorted(spool.glob("*.json")):
        say(seen=json.loads(file.read_text(encoding="utf-8")))
    calls = spool / ".calls"
    say(done=True, calls=calls.stat().st_size if calls.exists() else 0)
