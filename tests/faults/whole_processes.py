"""What the runners on whole processes share: host-sim beside the embedded Microsoft 365, mails that arrive and replies that
leave while something bad happens, and then the count: nothing lost, nothing double, every reply with the customer once.
"""
import argparse
import json
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import leaks  # found by the line above

CUSTOMER = "customer@fabrikam.example"
LOOKS_MS = 15 * 60 * 1000  # longer than all looks after an unclear send
LARGE = 3_500_000  # some replies take an upload session, whose pieces can be cut as well


class Skip(Exception):
    """What is to be played cannot be had here; why."""


class Scenario:
    """One tenant, one data folder, `mails` mails for all its queues and `replies` replies of them."""

    def __init__(self, harness, folder, seed, mails, replies, large_every=20, wait=False, **queue):
        self.harness, self.folder, self.wait = harness, folder, wait
        self.random = random.Random(seed)
        self.tenant = harness.Tenant(folder / "tenant")
        self.data = folder / "data"
        config = self.tenant.config()
        config["system_services"]["email_settings"]["incoming_mail_servers"][0]["poll_seconds"] = 1
        entries = [queue["numbers_addresses"][0] for queue in config["queue_management"]["queues"]]
        for entry in entries:
            entry.update(first_fetch_limit=0, **queue)
        self.addresses = [entry["address"] for entry in entries]
        self.marks = queue.get("after_fetch") != "leave"
        self.config = self.tenant.dir / "runner.json"
        self.config.write_text(json.dumps(config))
        self.config.chmod(0o600)
        self.mails = mails
        self.to_arrive = [self.addresses[n % len(self.addresses)] for n in range(mails)]
        self.random.shuffle(self.to_arrive)
        large = folder / "large.bin"
        large.write_bytes(self.random.randbytes(LARGE))
        self.replies = []
        for n in range(replies):
            row = {"from": self.addresses[n % len(self.addresses)], "to": [CUSTOMER], "subject": f"Answer {n:04}",
                   "text": f"Answer {n:04} leaves once.", "key": f"case-{n:04}"}
            if n % large_every == 7:
                row["attach"] = [str(large)]
            self.replies.append(row)

    def arrive(self, count):
        """The next `count` mails reach their mailboxes."""
        now, self.to_arrive = self.to_arrive[:count], self.to_arrive[count:]
        for address in self.addresses:
            mails = now.count(address)
            if mails:
                self.tenant.flood(address, mails)

    def batch(self, rows):
        file = self.folder / "batch.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return file

    def start(self, *arguments, data=None, **options):
        """host-sim with its sayings in one log file, so that a failure can be read."""
        with open(self.folder / "host-sim.log", "ab") as log:
            return subprocess.Popen([self.harness.HOST_SIM, *map(str, arguments), "--plugins", self.harness.PLUGINS,
                                     "--config", str(self.config), "--data", str(data or self.data)], stdout=log,
                                    stderr=log, **options)

    def run_arguments(self):
        return ("run", "--events", self.folder / "events.jsonl")

    def send_arguments(self, rows):
        return ("send", "--batch", self.batch(rows))

    def said(self, *arguments, data=None):
        """host-sim to its end: (exit code, what it said)."""
        done = subprocess.run([self.harness.HOST_SIM, *map(str, arguments), "--plugins", self.harness.PLUGINS, "--config",
                               str(self.config), "--data", str(data or self.data)], capture_output=True, text=True,
                              timeout=600, check=False)
        with open(self.folder / "host-sim.log", "a", encoding="utf-8") as log:
            log.write(done.stdout + done.stderr)
        return done.returncode, done.stdout + done.stderr

    def rest(self):
        """Everything arrives, everything is handed over, and host-sim may finish."""
        self.arrive(len(self.to_arrive))
        database = self.data / "plugins" / "m365" / "m365.db"
        if not self.wait and database.exists():
            with sqlite3.connect(database) as state:
                state.execute("UPDATE submission SET changed = changed - ?", (LOOKS_MS,))
            state.close()
        codes = {}
        if self.replies:
            codes["send"] = self.start(*self.send_arguments(self.replies), "--patience", "900").wait()
        codes["run"] = self.start(*self.run_arguments(), "--until-idle", "--patience", "900").wait()
        return [f"host-sim {name} ended with {code}" for name, code in codes.items() if code != 0]

    def inbox(self, data=None):
        listed = subprocess.run([self.harness.HOST_SIM, "inbox", "--data", str(data or self.data), "--json"], check=True,
                                capture_output=True, text=True)
        return [json.loads(line) for line in listed.stdout.splitlines()]

    def arrived(self):
        """Subjects of what reached the customer."""
        return [message["subject"] for message in self.tenant.messages(CUSTOMER, "inbox")]

    def held(self):
        return [message for address in self.addresses for message in self.tenant.messages(address, "inbox")]

    def compare_inbox(self, held, data=None):
        """Sentences about the host's inbox, where it does not hold each of these mails once."""
        problems, received = [], {}
        for event in self.inbox(data):
            received.setdefault(event["message_id"], []).append(event)
        doubles = [rows[0]["subject"] for rows in received.values() if len(rows) > 1]
        if doubles:
            problems.append(f"{len(doubles)} mails are twice in the inbox, for example {doubles[0]!r}")
        lost = [message["subject"] for message in held if message["immutable_id"] not in received]
        if lost:
            problems.append(f"{len(lost)} mails are not in the inbox, for example {lost[0]!r}")
        if len(received) > len(held):
            problems.append(f"the inbox has {len(received)} mails, the mailboxes {len(held)}")
        return problems

    def compare(self):
        """Sentences about everything that is not as promised."""
        held = self.held()
        problems = self.compare_inbox(held)
        if len(held) != self.mails:
            problems.append(f"the mailboxes hold {len(held)} mails instead of {self.mails}")
        unread = [message["subject"] for message in held if not message["is_read"]]
        if unread and self.marks:
            problems.append(f"{len(unread)} mails were not marked, for example {unread[0]!r}")
        arrived = self.arrived()
        for row in self.replies:
            times = arrived.count(row["subject"])
            if times != 1:
                problems.append(f"{row['subject']} reached the customer {times} times")
        for address in self.addresses:
            left = [message["subject"] for message in self.tenant.messages(address, "drafts")]
            if left:
                problems.append(f"{len(left)} drafts are left in {address}, for example {left[0]!r}")
            if self.tenant.messages(address, "Rejected"):
                problems.append(f"mails of {address} were moved to Rejected")
        return problems


def play(name, options, job, **scenario):
    """Runs `job(scenario)`, which returns (what was done, problems), in a folder of its own, which is kept when there are
    some. True: no problems; None: the job raised Skip, whose reason is printed."""
    import harness  # after the environment is set: it names what is under test
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"mailplugin-{name}-", dir=options.folder))
    problems = ["it did not end"]
    world = Scenario(harness, folder, options.seed, **scenario)
    begin = time.monotonic()
    try:
        done, problems = job(world)
        world.tenant.note_issued()
        problems = problems + leaks.leaks(world.tenant.secrets, [], folder, {world.tenant.dir})
        print(f"{name}, seed {options.seed}: {done}, {time.monotonic() - begin:.0f} s: "
              f"{'FAILED' if problems else 'all agree'}", flush=True)
        for problem in problems:
            print("  " + problem)
        return not problems
    except Skip as why:
        problems = []
        print(f"{name}: skipped: {why}", flush=True)
        return None
    finally:
        world.tenant.stop()
        if problems:
            print(f"  kept for a look: {folder}", flush=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def parser(doc):
    arguments = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--build", help="a build folder; else HOST_SIM and PLUGINS say what is under test")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--folder", help="where to work; default: the system's temporary folder")
    return arguments


def parse(arguments):
    options = arguments.parse_args()
    if options.build:
        build = pathlib.Path(options.build).resolve()
        os.environ["HOST_SIM"] = str(build / "host-sim" / "host-sim")
        os.environ["PLUGINS"] = str(build / "plugins")
    return options
