"""The plugin against another simulation of Microsoft 365, which answers as the sheets allow and host-sim's does not."""
import hashlib
import json
import os
import pathlib
import shutil
import tempfile
import time
import unittest

from harness import PLUGINS, host_sim
from other_service import OtherService, new_message
from peers import Ca

SUPPORT, SALES = "support@contoso.example", "sales@contoso.example"
BIG = os.urandom(1000) * 5000  # two pieces of an upload session
WIRE = [("Received", "from a by b")]


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class OtherReadings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="mailplugin-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.ca = Ca(cls.folder / "ca")
        cls.certificate = cls.ca.certificate()

    def write_config(self, **address):
        graph = {"graph_endpoint": self.service.origin + "/", "ca_file": str(self.ca.file)}
        sign_in = {"type": "m365", "authentication_type": "OAuth Service", **graph}
        incoming = {"name": "Other", "address": f"{self.service.origin}/{self.service.tenant}", **sign_in,
                    "client_id": self.service.client, "secret": self.service.secret}
        outgoing = {"enable": True, "server": self.service.tenant, "port": "", "login_address": self.service.origin,
                    "server_user": self.service.client, "password": self.service.secret, **sign_in}
        numbers = [{"address": a, "sender": True, "email_server": "Other", **address} for a in (SUPPORT, SALES)]
        file = self.data.parent / "config.json"
        file.write_text(json.dumps({
            "system_services": {"email_settings": {"incoming_mail_servers": [incoming],
                                                   "external_outgoing_mail_server": outgoing}},
            "queue_management": {"queues": [{"name": "Support", "numbers_addresses": numbers}]}}))
        file.chmod(0o600)
        return file

    def fetch(self, **address):
        result = host_sim("run", "--plugins", PLUGINS, "--config", self.write_config(**address), "--data", self.data,
                          "--until-idle", "--events", "-")
        self.assertEqual(0, result.code, result.err)
        return result.messages

    def send(self, subject, *arguments):
        text = self.data.parent / "text.txt"
        text.write_text("Hello there")
        sent = host_sim("send", "--plugins", PLUGINS, "--config", self.write_config(), "--data", self.data, "--from",
                        SUPPORT, "--to", "customer@fabrikam.example", "--subject", subject, "--text", text, *arguments)
        self.assertEqual(0, sent.code, sent.err)

    def whole_story(self, after_fetch, **readings):
        """Fetched once each, old mail too; marked; only news after a restart; a reply and a large mail sent once."""
        self.service = OtherService(self.certificate, [SUPPORT, SALES], **readings)
        self.addCleanup(self.service.stop)
        self.data = pathlib.Path(tempfile.mkdtemp(dir=self.folder)) / "data"
        arrive = self.service.arrive
        week_ago = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 7 * 86400))
        arrive(SUPPORT, new_message("old", "x", WIRE, receivedDateTime=week_ago))
        for n in range(7):
            arrive(SUPPORT, new_message(f"mail {n}", f"text {n}", WIRE))
        hangs_on = [("a b.pdf", "application/pdf", b"%PDF-1", None), ("logo.png", "image/png", b"PNG", "logo@x")]
        arrive(SUPPORT, new_message("files", '<img src="cid:logo@x">', WIRE, True, hangs_on))
        arrive(SUPPORT, new_message("away", "x", [("Auto-Submitted", "auto-replied"), ("In-Reply-To", "<q@x>")]))
        arrive(SUPPORT, new_message("bare", "x"))  # without any header
        arrive(SALES, new_message("sales", "x", WIRE))
        arrive(SUPPORT, new_message("by a person", "x", sender=SUPPORT), "sentitems")

        messages = self.fetch(after_fetch=after_fetch)
        wanted = ["old", *(f"mail {n}" for n in range(7)), "files", "away", "bare", "sales"]
        self.assertEqual(sorted(wanted), sorted(m["subject"] for m in messages))
        by_subject = {m["subject"]: m for m in messages}
        self.assertIn("auto_submitted", by_subject["away"]["flags"])
        self.assertEqual("<q@x>", by_subject["away"]["in_reply_to"])
        files = {a["name"]: a for a in by_subject["files"]["attachments"]}
        self.assertEqual(sha256(b"%PDF-1"), files["a b.pdf"]["sha256"])
        self.assertEqual(sha256(b"PNG"), files["logo.png"]["sha256"])
        if readings.get("cast", True):
            self.assertEqual((True, "logo@x"), (files["logo.png"]["inline"], files["logo.png"]["content_id"]))
        if after_fetch == "mark_read":
            self.assertTrue(all(m["isRead"] for m in self.service.in_folder(SUPPORT, "inbox")))
        else:
            self.assertEqual([], self.service.in_folder(SUPPORT, "inbox"))
            self.assertEqual(len(wanted) - 1, len(self.service.in_folder(SUPPORT, "Done")))
        arrive(SUPPORT, new_message("late", "x", WIRE))
        self.assertEqual(["late"], [m["subject"] for m in self.fetch(after_fetch=after_fetch)])

        question = by_subject["mail 3"]
        self.send("Answer", "--key", "K1", "--in-reply-to", question["delivery_id"])
        small, big = self.data.parent / "small.bin", self.data.parent / "big.bin"
        small.write_bytes(b"small")
        big.write_bytes(BIG)
        self.send("Big", "--key", "K2", "--attach", small, "--attach", big)
        self.send("Big", "--key", "K2")  # the same submission again
        self.assertEqual(["Answer", "Big"], [m["subject"] for m in self.service.sent])
        answer, large = self.service.sent
        threaded = answer.get("answers") or answer["properties"].get("String 0x1042")
        self.assertEqual(question["internet_message_id"], threaded)
        self.assertEqual("Hello there", answer["body"]["content"].strip())
        self.assertEqual([("small.bin", sha256(b"small")), ("big.bin", sha256(BIG))],
                         [(a["name"], sha256(a["bytes"])) for a in large["attachments"]])
        self.assertEqual([], self.service.in_folder(SUPPORT, "drafts"))

    def test_ordinary_ids_and_unusual_forms(self):
        self.whole_story("move:Done", immutable_ids=False, page_size=3, links="odd", delta_rows="ids", patch=204,
                         move=200, booleans="text", nulls="absent", errors="nested", expires_in="text",
                         upload="same small", http="chunked", batch_order="shuffled", repeat_rows=True)

    def test_as_little_as_possible(self):
        self.whole_story("mark_read", batch=404, delta=501, cast=False, create_reply=501, property_filter="refused",
                         property_expand=False, errors="empty", sent_id_changes=True, scope="public", http="close")

    def test_searches_without_filters_and_feeds_without_headers(self):
        self.whole_story("mark_read", property_filter="ignored", create_reply=200, delta_rows="no_headers",
                         empty_pages=True, errors="html", http="bom")

    def test_an_old_server(self):
        self.whole_story("move:Done", http="1.0", page_size=1, property_expand=False)


if __name__ == "__main__":
    unittest.main()
