#!/usr/bin/env python3
"""Kills host-sim with SIGKILL at random moments while mails arrive and replies leave, then lets it finish and compares
the host's inbox with the mailboxes: nothing lost, nothing double, every reply with the customer exactly once.

    kill_runner.py --build build/release                                  200 kills, 3,000 mails, 300 replies
    kill_runner.py --kills 20 --mails 600 --replies 40 --seed 7           a sample; HOST_SIM and PLUGINS in the environment

The seed decides what is killed, after how long, and what arrives meanwhile; the moment inside the program is then the
machine's, so a seed narrows a failure down rather than repeating it.

A reply whose sending was asked for when the process died, and which still stands in Drafts, is looked for over ten
minutes before it is sent again (the service may yet carry it out). The last start is therefore told that those minutes
have passed, by the time in its own record; --wait lets them pass in truth.
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


class Scenario:
    def __init__(self, harness, folder, options):
        self.harness, self.folder, self.options = harness, folder, options
        self.random = random.Random(options.seed)
        self.tenant = harness.Tenant(folder / "tenant")
        self.data = folder / "data"
        config = self.tenant.config()
        config["system_services"]["email_settings"]["incoming_mail_servers"][0]["poll_seconds"] = 1
        entries = [queue["numbers_addresses"][0] for queue in config["queue_management"]["queues"]]
        for entry in entries:
            entry["first_fetch_limit"] = 0
        self.addresses = [entry["address"] for entry in entries]
        self.config = self.tenant.dir / "kill.json"
        self.config.write_text(json.dumps(config))
        self.config.chmod(0o600)
        self.to_arrive = [self.addresses[n % len(self.addresses)] for n in range(options.mails)]
        self.random.shuffle(self.to_arrive)
        large = folder / "large.bin"  # some replies take an upload session, whose pieces can be cut as well
        large.write_bytes(self.random.randbytes(3_500_000))
        self.replies = []
        for n in range(options.replies):
            row = {"from": self.addresses[n % len(self.addresses)], "to": [CUSTOMER], "subject": f"Answer {n:04}",
                   "text": f"Answer {n:04} leaves once.", "key": f"case-{n:04}"}
            if n % 20 == 7:
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

    def start(self, *arguments):
        """host-sim with its sayings in one log file, so that a failure can be read."""
        with open(self.folder / "host-sim.log", "ab") as log:
            return subprocess.Popen([self.harness.HOST_SIM, *map(str, arguments), "--plugins", self.harness.PLUGINS,
                                     "--config", str(self.config), "--data", str(self.data)], stdout=log, stderr=log)

    def run_arguments(self):
        return ("run", "--events", self.folder / "events.jsonl")

    def kill_once(self, number):
        """One life of host-sim: fetching, or handing over replies, ended by SIGKILL."""
        kills = self.options.kills
        share = max(1, self.options.mails // kills)
        self.arrive(share // 2)
        if number % 4 == 1 and self.replies:
            # Replies are kept under their keys, so handing all of them over again repeats none.
            first = len(self.replies) * number // kills
            process = self.start("send", "--batch", self.batch(self.replies[:first + len(self.replies) * 4 // kills + 1]))
        else:
            process = self.start(*self.run_arguments())
        moment = self.random.uniform(0, self.options.longest)
        half = self.random.uniform(0, moment)
        time.sleep(half)
        self.arrive(share - share // 2)
        time.sleep(moment - half)
        ended = process.poll()
        process.kill()
        process.wait()
        return ended is None

    def rest(self):
        """Everything arrives, everything is handed over, and host-sim may finish."""
        self.arrive(len(self.to_arrive))
        database = self.data / "plugins" / "m365" / "m365.db"
        if not self.options.wait and database.exists():
            with sqlite3.connect(database) as state:
                state.execute("UPDATE submission SET changed = changed - ?", (LOOKS_MS,))
            state.close()
        codes = {}
        if self.replies:
            codes["send"] = self.start("send", "--batch", self.batch(self.replies), "--patience", "900").wait()
        codes["run"] = self.start(*self.run_arguments(), "--until-idle", "--patience", "900").wait()
        return codes

    def inbox(self):
        listed = subprocess.run([self.harness.HOST_SIM, "inbox", "--data", str(self.data), "--json"], check=True,
                                capture_output=True, text=True)
        return [json.loads(line) for line in listed.stdout.splitlines()]

    def compare(self):
        """Sentences about everything that is not as promised."""
        problems = []
        received = {}
        for event in self.inbox():
            received.setdefault(event["message_id"], []).append(event)
        doubles = [rows[0]["subject"] for rows in received.values() if len(rows) > 1]
        if doubles:
            problems.append(f"{len(doubles)} mails are twice in the inbox, for example {doubles[0]!r}")
        held = [message for address in self.addresses for message in self.tenant.messages(address, "inbox")]
        if len(held) != self.options.mails:
            problems.append(f"the mailboxes hold {len(held)} mails instead of {self.options.mails}")
        lost = [message["subject"] for message in held if message["immutable_id"] not in received]
        if lost:
            problems.append(f"{len(lost)} mails are not in the inbox, for example {lost[0]!r}")
        if len(received) > len(held):
            problems.append(f"the inbox has {len(received)} mails, the mailboxes {len(held)}")
        unread = [message["subject"] for message in held if not message["is_read"]]
        if unread:
            problems.append(f"{len(unread)} mails were not marked, for example {unread[0]!r}")
        arrived = [message["subject"] for message in self.tenant.messages(CUSTOMER, "inbox")]
        for row in self.replies:
            times = arrived.count(row["subject"])
            if times != 1:
                problems.append(f"{row['subject']} reached the customer {times} times")
        for address in self.addresses:
            left = [message["subject"] for message in self.tenant.messages(address, "drafts")]
            if left:
                problems.append(f"{len(left)} drafts are left in {address}, for example {left[0]!r}")
        return problems


def play(harness, options):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mailplugin-kill-", dir=options.folder))
    scenario = Scenario(harness, folder, options)
    problems = ["it did not end"]
    try:
        begin = time.monotonic()
        killed = 0
        for number in range(options.kills):
            killed += scenario.kill_once(number)
        before = len(scenario.inbox()) if scenario.data.exists() else 0
        sent_before = len(scenario.tenant.messages(CUSTOMER, "inbox"))
        codes = scenario.rest()
        problems = [f"host-sim {name} ended with {code}" for name, code in codes.items() if code != 0]
        problems += scenario.compare()
        scenario.tenant.note_issued()
        problems += leaks.leaks(scenario.tenant.secrets, [], folder, {scenario.tenant.dir})
        # Kills that hit nothing prove nothing: work must have been done between them, and be left for the end.
        if options.mails and before == 0:
            problems.append("no mail was fetched between the kills: the machine is too slow for --longest")
        if options.replies and sent_before == 0:
            problems.append("no reply left between the kills: the machine is too slow for --longest")
        print(f"seed {options.seed}: {killed} of {options.kills} lives ended by SIGKILL, {options.mails} mails "
              f"({before} before the last start), {options.replies} replies ({sent_before} before), "
              f"{time.monotonic() - begin:.0f} s: {'FAILED' if problems else 'all agree'}")
        for problem in problems:
            print("  " + problem)
        return 1 if problems else 0
    finally:
        scenario.tenant.stop()
        if problems:
            print(f"  kept for a look: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", help="a build folder; else HOST_SIM and PLUGINS say what is under test")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--mails", type=int, default=3000)
    parser.add_argument("--replies", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--longest", type=float, default=2.5, help="seconds until a kill at the latest")
    parser.add_argument("--wait", action="store_true", help="let the ten minutes of looks pass in truth")
    parser.add_argument("--folder", help="where to work; default: the system's temporary folder")
    options = parser.parse_args()
    if options.build:
        build = pathlib.Path(options.build).resolve()
        os.environ["HOST_SIM"] = str(build / "host-sim" / "host-sim")
        os.environ["PLUGINS"] = str(build / "plugins")
    import harness  # after the environment is set: it names what is under test
    sys.exit(play(harness, options))


if __name__ == "__main__":
    main()
