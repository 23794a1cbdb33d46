"""Runs a command and prints what it took as JSON: seconds, peak memory of all its processes in KiB, exit code."""

import json
import subprocess
import sys
import time


def peaks(pid, found):
    """Notes the highest memory so far of a process and of those that it started."""
    try:
        with open(f"/proc/{pid}/status") as status:
            line = next((line for line in status if line.startswith("VmHWM:")), None)
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            pids = children.read().split()
    except OSError:
        return
    if line:
        found[pid] = max(found.get(pid, 0), int(line.split()[1]))
    for child in pids:
        peaks(child, found)


found = {}
with open(sys.argv[1], "wb") as log:
    started = time.perf_counter()
    process = subprocess.Popen(sys.argv[2:], stdout=log, stderr=log)
    while process.poll() is None:
        peaks(str(process.pid), found)
        time.sleep(0.0005)
    wall = time.perf_counter() - started
print(json.dumps({"code": process.returncode, "wall": wall, "peak": sum(found.values())}))
