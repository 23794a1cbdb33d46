"""Runs a command and prints what it took as JSON: seconds, peak memory in KiB, exit code."""

import json
import resource
import subprocess
import sys
import time

with open(sys.argv[1], "wb") as log:
    started = time.perf_counter()
    code = subprocess.run(sys.argv[2:], stdout=log, stderr=log, check=False).returncode
    wall = time.perf_counter() - started
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps({"code": code, "wall": wall, "peak": peak}))
