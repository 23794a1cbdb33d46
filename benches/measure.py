"""Runs a command and prints as JSON: seconds, peak memory of all its processes in KiB, exit code."""

import json
import subprocess
import sys
import threading
import time


def record_peaks(pid, peak_by_pid):
    """Records the current peak memory of a process and of its descendants in `peak_by_pid`, by process id."""
    try:
        with open(f"/proc/{pid}/status") as status:
            line = next((line for line in status if line.startswith("VmHWM:")), None)
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            pids = children.read().split()
    except OSError:
        return
    if line:
        peak_by_pid[pid] = max(peak_by_pid.get(pid, 0), int(line.split()[1]))
    for child in pids:
        record_peaks(child, peak_by_pid)


def watch(pid, peak_by_pid, ended):
    """Records the peaks every two milliseconds; shorter intervals would slow down the measured program."""
    while not ended.wait(0.002):
        record_peaks(pid, peak_by_pid)


peak_by_pid = {}
ended = threading.Event()
with open(sys.argv[1], "wb") as log:
    started = time.perf_counter()
    process = subprocess.Popen(sys.argv[2:], stdout=log, stderr=log)
    watcher = threading.Thread(target=watch, args=(str(process.pid), peak_by_pid, ended))
    watcher.start()
    process.wait()
    wall = time.perf_counter() - started
ended.set()
watcher.join()
print(json.dumps({"code": process.returncode, "wall": wall, "peak": sum(peak_by_pid.values())}))
