"""Posts N texts by Apprise's json plugin: `apprise_json.py N AT_ONCE` with RELCOMM_BENCH_{URL,BODY}. Prints a line of JSON.

AT_ONCE endpoints are added and told by one call of notify(), which tells several of them by its pool of threads; 1 is one after another.
The plugin does not sign.
"""

import json
import os
import resource
import sys
import time

import apprise

n, at_once = int(sys.argv[1]), int(sys.argv[2])
with open(os.environ["RELCOMM_BENCH_BODY"], encoding="utf-8") as body:
    data = json.load(body)["data"]
# json:// goes by http, jsons:// by https.
url = os.environ["RELCOMM_BENCH_URL"].replace("http", "json", 1)
told = apprise.Apprise()
for _ in range(at_once):
    told.add(url)

begun, cpu, taken = time.perf_counter(), time.process_time(), 0
while taken < n:
    if not told.notify(title=data["subject"], body=data["text"]):
        sys.exit("a notification failed")
    taken += at_once
secs, cpu = time.perf_counter() - begun, time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(json.dumps({"taken": taken, "secs": secs, "cpu_micros": round(cpu * 1e6), "peak_mb": peak}))
