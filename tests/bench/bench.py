#!/usr/bin/env python3
"""./dev bench: what fetching costs. One table, its conditions with it; --json for machines.

The embedded Microsoft 365 answers; it runs as a process of its own and its CPU is not counted. CPU and memory are those of
host-sim with the plugin, the host's own storing (SQLite, fsync before ACCEPTED) included.
"""
import argparse
import json
import os
import pathlib
import platform
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

MAILBOX = "support@contoso.example"


def measured_run(harness, arguments):
    """Runs host-sim and returns (exit code, seconds, CPU seconds, peak KB of memory)."""
    begin = time.monotonic()
    null = os.open(os.devnull, os.O_WRONLY)
    pid = os.posix_spawn(harness.HOST_SIM, [harness.HOST_SIM, *map(str, arguments)], os.environ,
                         file_actions=[(os.POSIX_SPAWN_DUP2, null, 1)])
    _, status, usage = os.wait4(pid, 0)
    os.close(null)
    return (os.waitstatus_to_exitcode(status), time.monotonic() - begin, usage.ru_utime + usage.ru_stime,
            usage.ru_maxrss)


def fetch(harness, count, after_fetch):
    """Fetches `count` mails of 8 KB html with 10 KB of transport headers from one mailbox."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mailplugin-bench-"))
    tenant = harness.Tenant(folder / "tenant")
    try:
        config = tenant.config()
        server = config["system_services"]["email_settings"]["incoming_mail_servers"][0]
        queue = config["queue_management"]["queues"][0]
        queue["numbers_addresses"] = [{"address": MAILBOX, "email_server": server["name"], "first_fetch_limit": 0,
                                       "after_fetch": after_fetch}]
        config["queue_management"]["queues"] = [queue]
        file = tenant.dir / "bench.json"
        file.write_text(json.dumps(config))

        def run(data):
            return measured_run(harness, ["run", "--plugins", harness.PLUGINS, "--config", file, "--data", folder / data,
                                          "--until-idle", "--log-level", "error"])

        _, _, idle_cpu, idle_memory = run("empty")  # start, sign-in, an empty mailbox, stop
        tenant.flood(MAILBOX, count, size=8000, headers=10000)
        tenant.control("POST", "/requests/reset", {})
        code, seconds, cpu, memory = run("data")
        if code != 0:
            raise RuntimeError(f"host-sim run ended with {code}")
        requests = tenant.control("GET", "/requests")
        return {"after_fetch": after_fetch, "mails": count, "seconds": round(seconds, 2),
                "mails_per_second": round(count / seconds), "requests_per_mail": round(requests["total"] / count, 3),
                "cpu_ms_per_mail": round((cpu - idle_cpu) * 1000 / count, 3), "peak_mb": round(memory / 1024, 1),
                "idle_mb": round(idle_memory / 1024, 1)}
    finally:
        tenant.stop()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--mails", type=int, default=2000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    build = pathlib.Path(options.build).resolve()
    os.environ.setdefault("HOST_SIM", str(build / "host-sim" / "host-sim"))
    os.environ.setdefault("PLUGINS", str(build / "plugins"))
    import harness  # after the environment is set: it names what is under test

    rows = [fetch(harness, options.mails, way) for way in ("mark_read", "leave")]
    if options.json:
        print(json.dumps({"cores": os.cpu_count(), "machine": platform.machine(), "rows": rows}, indent=1))
        return
    print(f"{os.cpu_count()} cores ({platform.machine()}), loopback, TLS 1.3; mails of 8 KB html with 10 KB of transport "
          "headers, one mailbox;\nthe embedded Microsoft 365 shares the cores, its CPU is not counted; CPU is that of host-sim with the "
          "plugin, storing included,\nless that of a run on an empty mailbox; requests count the inner ones of a batch\n")
    heads = {"after_fetch": "after fetch", "mails": "mails", "mails_per_second": "mails/s",
             "requests_per_mail": "requests/mail", "cpu_ms_per_mail": "CPU ms/mail", "peak_mb": "peak MB",
             "idle_mb": "idle MB"}
    print("| " + " | ".join(heads.values()) + " |")
    print("|" + "---|" * len(heads))
    for row in rows:
        print("| " + " | ".join(str(row[key]) for key in heads) + " |")


if __name__ == "__main__":
    main()
