#!/usr/bin/env python3
"""A contact center at work for a long time: memory and descriptors stay flat, and nothing is lost.

    soak.py --build build/release                    20 minutes
    soak.py --minutes 0.4 --mailboxes 8 --smoke      a sample that does not judge memory; HOST_SIM and PLUGINS name it

`host-sim run` with the plugin serves all mailboxes of an embedded Microsoft 365 that throttles, fails, cuts connections,
revokes tokens and forgets delta state all the time, while mails arrive (some with attachments) and replies leave (some
by upload session, some automatic). Every few seconds its memory (RSS) and its descriptors are looked at. After the
first quarter of the time, its warm-up, the second quarter is compared with the last: memory may grow by 3 % and 1 MB,
descriptors by 4. Then everything may come to rest, and the host's inbox and the customer's mailbox are compared with what
was put in. Exit code 1, with figures, where anything is not as it should be.
"""
import argparse
import base64
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import leaks  # found by the line above

CUSTOMER = "customer@fabrikam.example"
MEMORY_SHARE, MEMORY_MORE = 0.03, 1.0  # of the earlier median, and MB
DESCRIPTORS_MORE = 4
AFTER_FETCH = ("mark_read", "move:Done", "delete", "leave")
LONGEST_REST = 900  # seconds until the last reply whose sending was unclear has to be known

# Each n-th exchange, whatever it is. Primes, so that they meet everything in every combination.
FAULTS = [({"every": 61}, {"status": 503, "retry_after": "1"}), ({"every": 73}, {"cut": "after"}),
          ({"every": 83}, {"cut": "before"}), ({"every": 97}, {"body": "half"}),
          ({"every": 113}, {"status": 429, "retry_after": "1"}), ({"every": 127}, {"status": 504, "work": "done"}),
          ({"every": 139}, {"status": 500}), ({"every": 151}, {"body": "garbage"}),
          ({"every": 167}, {"delay_ms": 2000}), ({"every": 181}, {"status": 401}),
          ({"every": 193}, {"status": 502, "body": "html"}), ({"every": 211}, {"status": 429})]


def tenant_file(folder, addresses):
    """A tenant of queue mailboxes, and one of the customer."""
    users = [{"upn": address, "name": address.split("@")[0], "addresses": [address], "shared": True}
             for address in addresses]
    content = {
        "tenants": [
            {"id": "8d8a8ab6-5d6f-4b61-8b8b-0f6b3c5d1f10", "name": "Contoso", "domains": ["contoso.example"],
             "apps": [{"client_id": "e7e4dbfc-046f-4074-9b3b-2ae8f144f59b", "name": "Contact Center",
                       "roles": ["Mail.ReadWrite", "Mail.Send"]}], "users": users},
            {"id": "5f1d3a4e-21c8-4a3b-9a55-6d1e7f30c9aa", "name": "Fabrikam", "domains": ["fabrikam.example"],
             "users": [{"upn": CUSTOMER, "addresses": [CUSTOMER], "name": "Casey Customer"}]}],
        "queues": [{"name": f"Queue {n}", "address": address} for n, address in enumerate(addresses)],
        "throttling": {"on": True, "requests": 400, "window_seconds": 60, "concurrent": 4}, "token_life": 120}
    file = folder / "tenant.json"
    file.write_text(json.dumps(content))
    return file


class Tail:
    """The lines that were appended to a file since the last look."""

    def __init__(self, file):
        self.file, self.offset = file, 0

    def lines(self):
        if not self.file.exists():
            return []
        with open(self.file, "rb") as stream:
            stream.seek(self.offset)
            content = stream.read()
        whole = content[:content.rfind(b"\n") + 1]
        self.offset += len(whole)
        return whole.splitlines()


class Soak:
    def __init__(self, harness, folder, options):
        self.harness, self.folder, self.options = harness, folder, options
        self.random = random.Random(options.seed)
        self.addresses = [f"queue{n:02}@contoso.example" for n in range(options.mailboxes)]
        self.tenant = harness.Tenant(folder / "tenant", tenant_file(folder, self.addresses))
        self.data, self.batch = folder / "data", folder / "batch.jsonl"
        self.batch.touch()
        self.events = Tail(folder / "events.jsonl")
        self.large = folder / "large.bin"
        self.large.write_bytes(self.random.randbytes(3_200_000))
        self.small = folder / "small.txt"
        self.small.write_bytes(b"a small file\n" * 2000)
        self.samples = []  # (seconds, MB, descriptors, threads)
        self.put, self.answered, self.sent = 0, {}, {}
        self.received, self.large_replies = 0, 0
        config = self.tenant.config()
        email = config["system_services"]["email_settings"]
        email["incoming_mail_servers"][0]["poll_seconds"] = 2
        email["external_outgoing_mail_server"]["automatic_replies_limit"] = 1_000_000
        for number, queue in enumerate(config["queue_management"]["queues"]):
            entry = queue["numbers_addresses"][0]
            entry.update(sender=True, first_fetch_limit=0, after_fetch=AFTER_FETCH[number % len(AFTER_FETCH)],
                         reconcile_minutes=3)
        self.config = self.tenant.dir / "soak.json"
        self.config.write_text(json.dumps(config))
        self.config.chmod(0o600)

    def start(self):
        with open(self.folder / "host-sim.log", "ab") as log:
            self.process = subprocess.Popen(
                [self.harness.HOST_SIM, "run", "--plugins", self.harness.PLUGINS, "--config", str(self.config), "--data",
                 str(self.data), "--batch", str(self.batch), "--events", str(self.events.file)], stdout=log, stderr=log)

    def mail(self, number):
        address = self.addresses[number % len(self.addresses)]
        headers, body = [], f"<p>Mail {number}, of a customer.</p>" + "x" * self.random.randrange(20_000)
        message = self.harness.mail(sender=CUSTOMER, to=address, subject=f"Mail {number}", body=body, html=True,
                                    message_id=f"<soak-{number}@fabrikam.example>", headers=headers)
        if number % 10 == 3:  # with a file
            size = 1_000_000 if number % 100 == 3 else 40_000
            message = self.with_file(message, self.random.randbytes(size))
        self.tenant.put_mail(address, message)

    @staticmethod
    def with_file(message, content):
        head, _, body = message.partition(b"\r\n\r\n")
        kept = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-")]
        encoded = base64.encodebytes(content).replace(b"\n", b"\r\n")
        return (b"\r\n".join(kept) + b"\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
                b"Content-Type: text/html; charset=utf-8\r\n\r\n" + body + b"\r\n--b\r\nContent-Type: application/pdf\r\n"
                b"Content-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
                + encoded + b"--b--\r\n")

    def follow(self):
        """Answers a third of what came in since the last look; notes what left."""
        rows = []
        for line in self.events.lines():
            event = json.loads(line)
            if event["event"] == "message":
                self.received += 1
                number = int(event["subject"].split()[1])
                if number % 3 == 0 and number not in self.answered:
                    rows.append(self.reply(number, event))
            elif event["event"] == "sent":
                self.sent[event["key"]] = event["verdict"]
        if rows:
            with open(self.batch, "a", encoding="utf-8") as out:
                out.write("".join(json.dumps(row) + "\n" for row in rows))

    def reply(self, number, event):
        row = {"from": event["address"], "to": CUSTOMER, "subject": f"Answer {number}", "text": f"Answer to {number}.",
               "key": f"answer-{number}", "in_reply_to": event["delivery_id"]}
        if number % 150 == 0:
            row["attach"] = [str(self.large)]
            self.large_replies += 1
        elif number % 15 == 0:
            row["attach"] = [str(self.small)]
        elif number % 4 == 0:
            row["automatic"] = True
        self.answered[number] = row["key"]
        return row

    def trouble(self):
        """Now and then something larger than one exchange."""
        control, chance = self.tenant.control, self.random.random()
        if chance < 0.02:
            control("POST", "/tokens/revoke")
        elif chance < 0.05:
            control("POST", "/delta/forget", {"mailbox": self.random.choice(self.addresses)})
        elif chance < 0.15:
            control("POST", f"/mailboxes/{self.random.choice(self.addresses)}/throttle", {"count": 3, "retry_after": 2})

    def sample(self, since):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        values = dict(line.split(":", 1) for line in status.splitlines())
        self.samples.append((time.monotonic() - since, int(values["VmRSS"].split()[0]) / 1024,
                             len(os.listdir(f"/proc/{self.process.pid}/fd")), int(values["Threads"])))

    def work(self):
        # What is broken while it is made or sent is looked for over minutes, which a sample does not have.
        only = {"method": "GET"} if self.options.smoke else {}
        self.tenant.control("POST", "/faults", [{"match": {**match, **only}, "effect": effect}
                                                for match, effect in FAULTS])
        self.tenant.control("POST", "/search_lag", {"seconds": 2})
        self.start()
        begin = time.monotonic()
        length = self.options.minutes * 60
        next_sample = next_trouble = begin
        told = begin + 60
        while (now := time.monotonic()) - begin < length:
            if self.process.poll() is not None:
                return
            due = int((now - begin) * self.options.rate)
            for _ in range(min(due - self.put, 50)):
                self.mail(self.put)
                self.put += 1
            self.follow()
            if now >= next_trouble:
                self.trouble()
                next_trouble = now + 1
            if now >= next_sample:
                self.sample(begin)
                next_sample = now + 2
            if now >= told:
                told += 60
                print(f"{(now - begin) / 60:.0f} min: {self.put} mails put in, {self.received} received, "
                      f"{len(self.sent)} of {len(self.answered)} answered, {self.samples[-1][1]:.1f} MB, "
                      f"{self.samples[-1][2]} descriptors", flush=True)
            time.sleep(0.1)

    def rest(self):
        """No more faults; until everything was fetched and every reply has its fate."""
        self.trouble_met = {"hit": sum(rule["hit"] for rule in self.tenant.control("GET", "/faults")),
                            "requests": self.tenant.control("GET", "/requests")["total"]}
        self.tenant.control("DELETE", "/faults")
        self.tenant.control("POST", "/throttling", {"requests": 10_000, "window_seconds": 600})
        until = time.monotonic() + LONGEST_REST
        while time.monotonic() < until and self.process.poll() is None:
            self.follow()
            done = sum(verdict != "retry_later" for verdict in self.sent.values())
            if self.received >= self.put and done == len(self.answered):
                break
            time.sleep(0.2)
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(60)

    def differences(self):
        """Sentences about what was lost, doubled or not sent."""
        listed = subprocess.run([self.harness.HOST_SIM, "inbox", "--data", str(self.data), "--json"], check=True,
                                capture_output=True, text=True).stdout.splitlines()
        problems, times = [], {}
        for line in listed:
            subject = json.loads(line)["subject"]
            times[subject] = times.get(subject, 0) + 1
        lost = [n for n in range(self.put) if f"Mail {n}" not in times]
        double = [subject for subject, count in times.items() if count > 1]
        if lost:
            problems.append(f"{len(lost)} mails are not in the inbox, for example Mail {lost[0]}")
        if double:
            problems.append(f"{len(double)} mails are twice in the inbox, for example {double[0]}")
        arrived = [message["subject"] for message in self.tenant.messages(CUSTOMER, "inbox")]
        for number, key in self.answered.items():
            count, verdict = arrived.count(f"Answer {number}"), self.sent.get(key)
            if verdict != "accepted" or count != 1:
                problems.append(f"{key} has verdict {verdict} and reached the customer {count} times")
        if not self.put or not self.answered:
            problems.append(f"{self.put} mails and {len(self.answered)} replies prove nothing")
        return problems

    def quarters(self):
        """Medians of memory and descriptors in the second and in the last quarter."""
        length = self.options.minutes * 60
        second = [row for row in self.samples if length / 4 <= row[0] < length / 2]
        last = [row for row in self.samples if row[0] >= length * 3 / 4]
        return [[statistics.median(row[column] for row in rows) for column in (1, 2)] for rows in (second, last)]

    def growth(self):
        (memory, descriptors), (memory_later, descriptors_later) = self.quarters()
        problems = []
        if memory_later > memory * (1 + MEMORY_SHARE) + MEMORY_MORE:
            problems.append(f"memory grew from {memory:.1f} to {memory_later:.1f} MB")
        if descriptors_later > descriptors + DESCRIPTORS_MORE:
            problems.append(f"descriptors grew from {descriptors:.0f} to {descriptors_later:.0f}")
        return problems


def play(harness, options):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mailplugin-soak-", dir=options.folder))
    soak = Soak(harness, folder, options)
    problems = ["it did not end"]
    try:
        soak.work()
        code = soak.rest()
        problems = [] if code == 0 else [f"host-sim ended with {code}"]
        problems += soak.differences()
        soak.tenant.note_issued()
        problems += leaks.leaks(soak.tenant.secrets, [], folder, {soak.tenant.dir})
        if not options.smoke:
            problems += soak.growth()
        (memory, descriptors), (memory_later, descriptors_later) = soak.quarters()
        peak = max(row[1] for row in soak.samples)
        print(f"{options.minutes:g} minutes, {options.mailboxes} mailboxes, seed {options.seed}: {soak.put} mails in, "
              f"{len(soak.answered)} replies out ({soak.large_replies} of 3.2 MB), {soak.trouble_met['requests']} requests, "
              f"{soak.trouble_met['hit']} faults; memory {memory:.1f} -> {memory_later:.1f} MB (peak {peak:.1f}), "
              f"descriptors {descriptors:.0f} -> {descriptors_later:.0f}: {'FAILED' if problems else 'flat, nothing lost'}")
        for problem in problems[:20]:
            print("  " + problem)
        return 1 if problems else 0
    finally:
        if soak.process.poll() is None:
            soak.process.kill()
            soak.process.wait()
        soak.tenant.stop()
        if problems:
            print(f"  kept for a look: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("minutes", nargs="?", type=float, default=20)
    parser.add_argument("--build", help="a build folder; else HOST_SIM and PLUGINS say what is under test")
    parser.add_argument("--mailboxes", type=int, default=50)
    parser.add_argument("--rate", type=float, default=5, help="mails a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--smoke", action="store_true", help="do not judge memory: the time is too short for that")
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
