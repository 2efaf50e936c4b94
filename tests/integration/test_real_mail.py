"""Every mail of the corpus, put into a shared mailbox, fetched over TLS, and compared with Python's own reading."""
import email.message
import email.policy
import re
import unittest

from harness import SHARED, TenantTestCase, host_sim
from mail_reading import Reading, page, sha256, squeeze
from real_mail_expected import DIFFERENCES, FLAGS, REPORTS

CORPUS = SHARED / "mail-corpus"
MAILBOX = "support@contoso.example"


def wire_form(file):
    """The file as SMTP would have carried it: CRLF at the ends of lines (corpus README); UTF-16 has lines of its own."""
    content = file.read_bytes()
    return content if b"\0" in content else re.sub(rb"\r?\n", b"\r\n", content)


def named(addresses):
    """[(name, address)]; Graph calls an address without a name by itself."""
    return [(name or address, address) for name, address in addresses]


def lines(text):
    """Line ends and blanks at the end of the text do not count."""
    return (text or "").replace("\r\n", "\n").rstrip()


@unittest.skipUnless(CORPUS.is_dir(), "the mail corpus is not on this machine")
class RealMail(TenantTestCase):
    maxDiff = None

    def test_the_corpus(self):
        self.only_queue(MAILBOX, first_fetch_limit=0, start_from="all", max_email_size_kb=25600)
        files = {}
        for file in sorted(CORPUS.glob("*.eml")):
            put = self.tenant.put_mail(MAILBOX, wire_form(file))
            files[put["immutable_ids"][0]] = file
        result = self.run_host()
        self.assertEqual(0, result.code, result.err)
        received = {event["message_id"]: event for event in result.messages}
        self.assertEqual(set(files), set(received))
        self.assertEqual({file.name for file in files.values()}, set(FLAGS))
        # Exchange serves an app four requests of a mailbox at a time, and no more were asked (graph-mail.md, section 15).
        self.assertLessEqual(self.tenant.control("GET", "/requests")["max_concurrency"][MAILBOX], 4)
        for immutable_id, file in files.items():
            with self.subTest(file=file.name):
                self.compare(file, received[immutable_id])

    def compare(self, file, event):
        self.assertEqual(FLAGS[file.name], set(event["flags"]))
        self.compare_report(file, event["report"])
        reading = Reading(wire_form(file))
        said = {
            "headers": (reading.headers, [(name, squeeze(value)) for name, value in event["headers"]]),
            "message-id": (reading.message_ids["message-id"], [event["internet_message_id"]]
                           if event["internet_message_id"] else []),
            "in-reply-to": (reading.message_ids["in-reply-to"][:1], [event["in_reply_to"]]
                            if event["in_reply_to"] else []),
            "references": (reading.message_ids["references"], event["references"]),
            "subject": (reading.subject, event["subject"] or "", squeeze),
            "from": (named(reading.addresses["from"][:1]),
                     self.said_addresses([event["from"]] if event["from"] else [])),
            "to": (named(reading.addresses["to"]), self.said_addresses(event["to"])),
            "cc": (named(reading.addresses["cc"]), self.said_addresses(event["cc"])),
            "reply-to": (named(reading.addresses["reply-to"]), self.said_addresses(event["reply_to"])),
            "attachments": (
                [(name, "message" if isinstance(content, Reading) else content)
                 for name, content in reading.attachments],
                [(each["name"] or "", "message" if each["kind"] == "message" else each["sha256"])
                 for each in event["attachments"]]),
        }
        if reading.html is not None:
            said["html"] = (reading.html, event["html"], page)
        else:
            said["html"] = (None, event["html"])
            said["text"] = (reading.text, event["text"], lines)
        differences = dict(DIFFERENCES.get(file.name, {}))
        for field, (theirs, ours, *form) in said.items():
            form = form[0] if form else (lambda value: value)
            if field in differences:
                right, _why = differences.pop(field)
                self.assertNotEqual(form(theirs), form(ours), f"{field}: there is nothing to explain any more")
                theirs = right
            self.assertEqual(form(theirs), form(ours), field)
        self.assertEqual({}, differences)
        if reading.html is not None:
            self.compare_derived_text(reading.html, event)
        self.compare_enclosed(reading, event)

    @staticmethod
    def said_addresses(addresses):
        return named((each["name"] or "", each["address"] or "") for each in addresses)

    def compare_report(self, file, report):
        if file.name not in REPORTS:
            self.assertIsNone(report)
            return
        self.assertEqual(REPORTS[file.name],
                         tuple(report[key] for key in ("kind", "recipient", "status", "original_message_id")))

    def compare_derived_text(self, html, event):
        """The host makes the text of an html mail: no word that a reader sees is missing."""
        self.assertEqual("derived", event["text_source"])
        words = [word.strip(".,;:()") for word in page(html)[0].split()]
        self.assertEqual([], [word for word in words if word not in event["text"]])

    def compare_enclosed(self, reading, event):
        """Attached mails come as MIME that Graph writes anew: read again, they have to be the same mail."""
        enclosed = [content for _, content in reading.attachments if isinstance(content, Reading)]
        if not enclosed:
            return
        target = self.folder / event["delivery_id"].replace("/", "_")
        done = host_sim("inbox", "--data", self.data, "export", event["delivery_id"], "-o", target)
        self.assertEqual(0, done.code, done.err)
        exported = {sha256(path.read_bytes()): path.read_bytes() for path in target.rglob("*") if path.is_file()}
        attached = [each for each in event["attachments"] if each["kind"] == "message"]
        self.assertEqual(len(enclosed), len(attached))
        for theirs, each in zip(enclosed, attached):
            ours = Reading(exported[each["sha256"]])
            for field in ("subject", "addresses", "attachments", "html"):
                self.assertEqual(getattr(theirs, field), getattr(ours, field), field)
            self.assertEqual(lines(theirs.text), lines(ours.text))


class ExportedFiles(TenantTestCase):

    """Attachment bytes as they lie on the host's disk, and names that are data, never a path."""

    def test_names_are_data(self):
        self.only_queue(MAILBOX)
        safe = {"../../x": "x", "/etc/passwd": "passwd", "C:\\Windows\\a.dll": "a.dll", "CON": "_CON", "nul.txt": "_nul.txt",
                "a" * 300: "a" * 200, "b" * 300 + ".pdf": "b" * 196 + ".pdf", "bell\x07": "bell",
                "\x1b[2Jclear": "[2Jclear", "\u202egpj.exe": "gpj.exe", "": "ATT00001.dat", "..": "attachment-12",
                ".hidden": "hidden", "-rf": "_rf", "a:b|c?.txt": "a_b_c_.txt", "same.txt": "same.txt",
                "message.json": "message (2).json", "trailing. ": "trailing"}
        names = [*safe, "same.txt", "SAME.txt"]  # and one without a name, which the service itself names
        message = email.message.EmailMessage()
        message["From"], message["To"], message["Subject"] = "customer@fabrikam.example", MAILBOX, "Names"
        message["Message-ID"] = "<names@fabrikam.example>"
        message.set_content("see the files")
        for number, name in enumerate(names):
            message.add_attachment(f"content {number}".encode(), maintype="application", subtype="octet-stream",
                                   filename=name)
        self.tenant.put_mail(MAILBOX, message.as_bytes(policy=email.policy.SMTP))
        (received,) = self.run_host().messages
        self.assertEqual(len(names), len(received["attachments"]))
        target = self.folder / "outer" / "inner" / "export"
        done = host_sim("inbox", "--data", self.data, "export", received["delivery_id"], "-o", target)
        self.assertEqual(0, done.code, done.err)
        wanted = {written: f"content {number}" for number, written in enumerate(
            [*safe.values(), "same (2).txt", "SAME (3).txt"])}
        written = {path.name: path.read_bytes().decode() for path in target.iterdir()
                   if path.name not in ("message.json", "message.txt")}
        self.assertEqual(wanted, written)
        self.assertEqual(sorted(str(target / name) for name in [*wanted, "message.json", "message.txt"]),
                         sorted(done.out.splitlines()), "each line is a path of the folder")
        for folder in (self.folder, target.parent, target.parent.parent):
            self.assertFalse((folder / "x").exists(), f"../ was followed to {folder}")
        for path in target.rglob("*"):
            self.assertLessEqual(len(path.name.encode()), 255)


if __name__ == "__main__":
    unittest.main()
