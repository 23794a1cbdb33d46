"""Runs a command and prints what it took as JSON: wall and processor seconds, peak memory in KiB, exit code."""

import json
import resource
import subprocess
import sys
import time

with open(sys.argv[1], "wb") as log:
    started = time.perf_counter()
    code = subprocess.run(sys.argv[2:], stdout=log, stderr=log, check=False).returncode
    wall = time.perf_counter() - started
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({"code": code, "wall": wall, "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss}))
