"""Runs host-sim as a user would: the embedded Microsoft 365 as one process, the contact center as another.

Whatever a test does: at its end everything that host-sim said, and every file it left, is searched for the secrets,
tokens and upload URLs that were in use (leaks.py).

The environment names what is under test: HOST_SIM (the program) and PLUGINS (the folder with the manifest).
"""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import leaks

HOST_SIM = os.environ["HOST_SIM"]
PLUGINS = os.environ["PLUGINS"]
SHARED = pathlib.Path(__file__).resolve().parents[3] / "shared"
SANITIZED = bool(os.environ.get("SANITIZE"))  # memory and time are then those of the sanitizer
PATIENCE = 120  # seconds until something that should end by itself counts as hanging


SAID = []  # everything that host-sim said since the test began


class Talker(subprocess.Popen):
    """A process whose sayings are kept for the search."""

    def communicate(self, *arguments, **options):
        out, err = super().communicate(*arguments, **options)
        SAID.extend(text for text in (out, err) if text)
        return out, err


class Tenant:
    """`host-sim m365`: an embedded Microsoft 365 in a folder of its own, with its control door."""

    def __init__(self, folder, tenant_file=None):
        self.dir = pathlib.Path(folder)
        self.secrets = leaks.Secrets()
        command = [HOST_SIM, "m365", "--dir", str(self.dir)]
        if tenant_file:
            command += ["--tenant", str(tenant_file)]
        self.process = Talker(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.config_file = self.dir / "contact-center.json"
        deadline = time.monotonic() + PATIENCE
        while not self.config_file.exists():
            if self.process.poll() is not None:
                raise RuntimeError("host-sim m365 ended: " + self.process.stderr.read())
            if time.monotonic() > deadline:
                raise RuntimeError("host-sim m365 never became ready")
            time.sleep(0.02)
        self.tls = ssl.create_default_context(cafile=str(self.dir / "ca.pem"))
        self.control_origin = json.loads((self.dir / "control.json").read_text())["control"]
        self.secrets.add_tenant(self.dir)

    def config(self):
        return json.loads(self.config_file.read_text())

    def control(self, method, path, body=None, timeout=PATIENCE, **query):
        url = self.control_origin + path
        if query:
            url += "?" + urllib.parse.urlencode(query)
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, method=method)
        if data is not None:
            kind = "message/rfc822" if isinstance(body, bytes) else "application/json"
            request.add_header("Content-Type", kind)
        try:
            with urllib.request.urlopen(request, context=self.tls, timeout=timeout) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {path}: {error.code} {error.read()[:400]}") from None
        self._note_secret(path, body)
        return json.loads(text) if text else None

    def _note_secret(self, path, body):
        """A new secret of an app, a new password of a user."""
        if path.startswith(("/apps", "/users")) and isinstance(body, dict):
            self.secrets.add("new secret", body.get("value"))
            self.secrets.add("new password", body.get("password"))

    def mime(self, address, message_id):
        """A message as it arrived or left, in bytes."""
        url = f"{self.control_origin}/mailboxes/{address}/messages/{urllib.parse.quote(message_id)}/mime"
        with urllib.request.urlopen(url, context=self.tls, timeout=PATIENCE) as answer:
            return answer.read()

    def put_mail(self, mailbox, mime, **query):
        """Delivers one mail; `mime` is bytes."""
        return self.control("POST", f"/mailboxes/{mailbox}/messages", mime, **query)

    def mailbox(self, address):
        """A mailbox as the service holds it: address, upn, id, folders with their messages."""
        return self.control("GET", f"/mailboxes/{address}")

    def messages(self, address, folder=None):
        """The messages of a mailbox, optionally of one folder (by well-known or display name)."""
        return [message for each in self.mailbox(address)["folders"]
                if folder is None or folder in (each.get("well_known"), each["name"]) for message in each["messages"]]

    def flood(self, address, count, size=2000, headers=0, first=None):
        """Delivers `count` synthetic html mails; the newest arrives now, unless `first` says when the first one did."""
        body = {"count": count, "size": size, "headers": headers}
        self.control("POST", f"/mailboxes/{address}/flood", {**body, "from": first} if first else body)

    def note_issued(self):
        """Every token and upload URL so far becomes a secret to search for."""
        self.secrets.add_issued(self.control("GET", "/issued"))

    def stop(self):
        if self.process.poll() is None:
            with contextlib.suppress(OSError, RuntimeError):
                self.note_issued()
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.communicate()
        return self.process.returncode


class Result:
    """What one host-sim run said and how it ended."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err
        self.events = [json.loads(line) for line in out.splitlines() if line.startswith("{")]

    def of(self, name):
        return [event for event in self.events if event["event"] == name]

    @property
    def messages(self):
        return self.of("message")


def host_sim(*arguments, timeout=PATIENCE, env=None, cwd=None):
    done = subprocess.run([HOST_SIM, *map(str, arguments)], capture_output=True, text=True, timeout=timeout, cwd=cwd,
                          env={**os.environ, **(env or {})}, check=False)
    SAID.extend((done.stdout, done.stderr))
    return Result(done.returncode, done.stdout, done.stderr)


def measured_host_sim(*arguments, timeout=PATIENCE):
    """As host_sim, and the most memory that the process had at a time, in MB."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        process = subprocess.Popen([HOST_SIM, *map(str, arguments)], stdout=out, stderr=err)
        deadline = time.monotonic() + timeout
        peak = 0
        # Not from rusage: that has also what this process held when it started the other.
        while process.poll() is None:
            with contextlib.suppress(OSError), open(f"/proc/{process.pid}/status", encoding="ascii") as status:
                peak = max([peak] + [int(line.split()[1]) for line in status if line.startswith("VmHWM")])
            if time.monotonic() > deadline:
                process.kill()
            time.sleep(0.01)
        out.seek(0)
        err.seek(0)
        return Result(process.returncode, out.read(), err.read()), peak / 1024


def mail(sender="customer@fabrikam.example", to="support@contoso.example", subject="Order 17", body="Hello",
         message_id=None, headers=(), html=False):
    """A plain mail as bytes, written for the tests."""
    message_id = message_id or f"<{time.time_ns()}@fabrikam.example>"
    lines = [f"From: Customer <{sender}>", f"To: {to}", f"Subject: {subject}", f"Message-ID: {message_id}",
             "Date: Mon, 02 Nov 2026 10:00:00 +0000", "MIME-Version: 1.0",
             f"Content-Type: text/{'html' if html else 'plain'}; charset=utf-8", "Content-Transfer-Encoding: 8bit",
             *headers, "", body, ""]
    return "\r\n".join(lines).encode()


class TenantTestCase(unittest.TestCase):
    """A fresh tenant and a fresh data folder for every test; in the end no secret stands anywhere it can be read."""

    tenant_file = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="mailplugin-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        SAID.clear()
        self.keeps_secrets = {self.folder / "tenant"}  # files and folders that rightly hold some
        self.tenant = Tenant(self.folder / "tenant", self.tenant_file)
        self.addCleanup(self.search_for_secrets)
        self.addCleanup(self.tenant.stop)
        self.data = self.folder / "data"
        self.config = self.tenant.config()

    # -- the configuration, by its well-known places --
    @property
    def incoming(self):
        return self.config["system_services"]["email_settings"]["incoming_mail_servers"][0]

    @property
    def outgoing(self):
        return self.config["system_services"]["email_settings"]["external_outgoing_mail_server"]

    @property
    def queues(self):
        return self.config["queue_management"]["queues"]

    def address(self, queue=0, index=0):
        return self.queues[queue]["numbers_addresses"][index]

    def only_queue(self, address, **extra):
        """Reduces the configuration to one queue with one address."""
        queue = self.queues[0]
        entry = {"address": address, "sender": True, "email_server": self.incoming["name"], **extra}
        queue["numbers_addresses"] = [entry]
        self.config["queue_management"]["queues"] = [queue]
        return entry

    def search_for_secrets(self):
        """Run when every process has ended: what was said, and every file but those that hold secrets by their nature."""
        self.assertEqual([], leaks.leaks(self.tenant.secrets, SAID, self.folder, self.keeps_secrets))

    def write_config(self):
        file = self.tenant.dir / "test-config.json"
        file.write_text(json.dumps(self.config))
        file.chmod(0o600)
        self.tenant.secrets.add_configuration(self.config)
        return file

    def run_host(self, *extra, **options):
        return host_sim("run", "--plugins", PLUGINS, "--config", self.write_config(), "--data", self.data,
                        "--until-idle", "--events", "-", *extra, **options)

    def send(self, *arguments, **options):
        return host_sim("send", "--plugins", PLUGINS, "--config", self.write_config(), "--data", self.data, *arguments,
                        **options)

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def start_host(self, *extra):
        """A running host whose events go to a file; returns (process, events file)."""
        events = self.folder / f"events-{time.time_ns()}.jsonl"
        process = Talker(
            [HOST_SIM, "run", "--plugins", PLUGINS, "--config", str(self.write_config()), "--data", str(self.data),
             "--events", str(events), *map(str, extra)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self._end, process)
        return process, events

    @staticmethod
    def _end(process):
        if process.poll() is None:
            process.kill()
        with contextlib.suppress(ValueError):
            process.communicate()

    @staticmethod
    def read_events(file):
        if not file.exists():
            return []
        return [json.loads(line) for line in file.read_text().splitlines() if line.endswith("}")]

    def wait_for_event(self, file, wanted, seconds=60):
        """The first event that `wanted` accepts; fails after `seconds`."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for event in self.read_events(file):
                if wanted(event):
                    return event
            time.sleep(0.05)
        self.fail(f"the event never came; the last ones: {self.read_events(file)[-3:]}")
