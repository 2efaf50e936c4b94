"""Attachments as large as Microsoft 365 takes them, through the whole, with little memory.

MAILPLUGIN_LARGE_MB says how large (default 20, with sanitizers 5); 100 takes some minutes and 1 GB of memory and disk.
"""
import base64
import hashlib
import os
import time
import unittest

from harness import PLUGINS, SANITIZED, TenantTestCase, host_sim, measured_host_sim

SUPPORT, SALES = "support@contoso.example", "sales@contoso.example"
MB = 1 << 20
SIZE = int(os.environ.get("MAILPLUGIN_LARGE_MB", "5" if SANITIZED else "20")) * MB
MOST_OVER_IDLE = 60  # MB of memory
PATIENCE = 120 + SIZE // MB * 10


class LargeMail(TenantTestCase):
    def setUp(self):
        super().setUp()
        self.only_queue(SUPPORT, max_email_size_kb=400 * 1024)
        self.queues[0]["numbers_addresses"].append(
            {"address": SALES, "sender": True, "email_server": self.incoming["name"], "max_email_size_kb": 400 * 1024})
        for mailbox in (SUPPORT, SALES):  # Set-Mailbox -MaxSendSize 150MB -MaxReceiveSize 150MB
            self.tenant.control("PATCH", f"/mailboxes/{mailbox}/options", {"max_send_size": 150 * MB})

    def content(self, name):
        """A file of SIZE bytes that no compression and no repetition makes small; its path and SHA-256."""
        path, digest = self.folder / name, hashlib.sha256()
        with path.open("wb") as file:
            for _ in range(SIZE // MB):
                block = os.urandom(MB)
                digest.update(block)
                file.write(block)
        return path, digest.hexdigest()

    def measured(self, command, *arguments):
        result, memory = measured_host_sim(command, "--plugins", PLUGINS, "--config", self.write_config(), "--data",
                                           self.data, "--patience", str(PATIENCE), *arguments, timeout=PATIENCE)
        self.assertEqual(0, result.code, result.err)
        return result, memory

    def run_to_idle(self):
        return self.measured("run", "--until-idle", "--events", "-")

    def little_memory(self, what, memory, idle):
        print(f"\n{what} of {SIZE // MB} MB: at most {memory:.0f} MB of memory, {idle:.0f} MB idle", flush=True)
        if not SANITIZED:
            self.assertLessEqual(memory - idle, MOST_OVER_IDLE)

    def assert_on_disk(self, event, name, digest):
        target = self.folder / "export"
        done = host_sim("inbox", "--data", self.data, "export", event["delivery_id"], "-o", target, timeout=PATIENCE)
        self.assertEqual(0, done.code, done.err)
        (path,) = target.rglob(name)
        with path.open("rb") as file:
            self.assertEqual(digest, hashlib.file_digest(file, "sha256").hexdigest())

    def test_a_large_attachment_is_sent_and_fetched(self):
        path, digest = self.content("large.bin")
        _, idle = self.run_to_idle()
        _, sending = self.measured("send", "--from", SUPPORT, "--to", SALES, "--subject", "Large", "--text",
                                   self.file("body.txt", "as promised"), "--attach", path)
        path.unlink()
        # Accepted means that it has left, not that it has arrived.
        deadline = time.monotonic() + PATIENCE
        while not self.tenant.messages(SALES, "inbox") and time.monotonic() < deadline:
            time.sleep(0.5)
        result, fetching = self.run_to_idle()
        (event,) = result.messages
        (attachment,) = event["attachments"]
        self.assertEqual(("large.bin", digest, SIZE), (attachment["name"], attachment["sha256"], attachment["size"]))
        self.assert_on_disk(event, "large.bin", digest)
        self.little_memory("sending", sending, idle)
        self.little_memory("fetching", fetching, idle)

    def test_a_large_signed_mail_is_fetched(self):
        path, digest = self.content("signed.bin")
        _, idle = self.run_to_idle()
        head = ("From: Customer <customer@fabrikam.example>\r\nTo: sales@contoso.example\r\nSubject: Signed\r\n"
                "Message-ID: <signed@fabrikam.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/signed; "
                'protocol="application/pkcs7-signature"; micalg=sha-256; boundary=S\r\n\r\n--S\r\n'
                "Content-Type: multipart/mixed; boundary=M\r\n\r\n--M\r\nContent-Type: text/plain\r\n\r\nsigned words\r\n"
                "--M\r\nContent-Type: application/octet-stream; name=signed.bin\r\n"
                "Content-Transfer-Encoding: base64\r\n\r\n").encode()
        tail = ("--M--\r\n--S\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n"
                "Content-Transfer-Encoding: base64\r\n\r\nMAAB\r\n--S--\r\n").encode()
        encoded = base64.encodebytes(path.read_bytes()).replace(b"\n", b"\r\n")
        path.unlink()
        self.tenant.put_mail(SALES, head + encoded + tail, timeout=PATIENCE)
        result, fetching = self.run_to_idle()
        (event,) = result.messages
        self.assertEqual(["signed"], event["flags"])
        self.assertEqual("signed words", event["text"].strip())
        self.assertEqual([("signed.bin", digest), ("smime.p7s", hashlib.sha256(b"\x30\x00\x01").hexdigest())],
                         [(each["name"], each["sha256"]) for each in event["attachments"]])
        self.little_memory("fetching a signed mail", fetching, idle)


if __name__ == "__main__":
    unittest.main()
