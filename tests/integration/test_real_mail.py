"""Every mail of the corpus, put into a shared mailbox, fetched over TLS, and compared with Python's own reading of the file."""
import email
import email.header
import email.policy
import email.utils
import hashlib
import re
import unittest

from harness import SHARED, TenantTestCase, host_sim

CORPUS = SHARED / "mail-corpus"
MAILBOX = "support@contoso.example"

# Flags that the corpus README and the headers of the file promise.
FLAGS = {
    "01-ndr-office365-generic-report-no-status.eml": {"bounce"},
    "02-ndr-office365-plain-text.eml": {"bounce"},
    "04-ndr-office365-full-headers.eml": {"bounce"},
    "06-ndr-office365-iso2022jp.eml": {"bounce"},
    "07-ndr-exchange2007-french.eml": {"bounce"},
    "09-ndr-exchange2003-nonstandard.eml": {"bounce"},
    "10-dsn-hotmail-delay-utf7.eml": {"bounce"},
    "11-dsn-mailru-cyrillic.eml": {"bounce"},
    "13-dsn-as-multipart-mixed.eml": {"bounce"},
    "14-autoreply-precedence.eml": {"auto_submitted"},
    "15-autoreply-exchange-ooo.eml": {"auto_submitted"},
    "17-autoreply-html-broken-subject.eml": {"auto_submitted"},
    "21-ndr-office365-real-65k.eml": {"bounce"},
    "23-smime-signed-small.eml": {"signed"},
    "54-dsn-many-recipients.eml": {"bounce"},
    "58-mdn-read-receipt.eml": {"read_receipt"},
}
NO_BOUNCE = {"18-arf-feedback-report.eml", "53-reply-in-reply-to.eml", "30-iphone-jpeg.eml"}

# Where the two readings differ, and why ours is right: file -> {field: reason}.
DIFFERENCES = {
    "11-dsn-mailru-cyrillic.eml": {
        "subject": "the space between an encoded-word and the text after it is in the word's own text already; Python's "
                   "make_header adds another one"},
    "28-malformed-headers.eml": {
        "subject": "raw 8-bit bytes without a charset: ours reads windows-1252, Python gives up with U+FFFD"},
    "33-spam-broken-headers.eml": {
        "subject": "raw 8-bit bytes without a charset: ours reads windows-1252 (an ellipsis), Python gives up with U+FFFD"},
    "46-big5-empty-cte.eml": {
        "subject": "raw Big5 bytes without a charset: ours keeps each byte readable, Python gives up with U+FFFD"},
    "51-raw-utf8-headers.eml": {
        "subject": "raw UTF-8 is legal in RFC 6532: ours reads it, Python's classic parser gives up with U+FFFD",
        "from": "as the subject"},
    "56-utf16-and-eucjp-parts.eml": {
        "attachments": "the last part has no end boundary: ours keeps its final line break, Python drops it"},
}


def wire_form(file):
    """The file as SMTP would have carried it: CRLF at the ends of lines (corpus README)."""
    return re.sub(rb"\r?\n", b"\r\n", file.read_bytes())


def squeeze(text):
    return re.sub(r"\s+", " ", text or "").strip()


def subject_of(message):
    raw = message.get("Subject")
    if raw is None:
        return ""
    try:
        return squeeze(str(email.header.make_header(email.header.decode_header(raw))))
    except (UnicodeDecodeError, LookupError, ValueError):
        return None  # Python cannot read it: nothing to compare with


def attachments_of(message):
    """Name and SHA-256 of each leaf that Python calls an attachment (a file name, or not text)."""
    found = []
    for part in message.iter_attachments() if hasattr(message, "iter_attachments") else []:
        if part.get_content_maintype() in ("message", "multipart"):
            continue
        content = part.get_payload(decode=True) or b""
        found.append((part.get_filename() or "", hashlib.sha256(content).hexdigest()))
    return found


@unittest.skipUnless(CORPUS.is_dir(), "the mail corpus is not on this machine")
class RealMail(TenantTestCase):
    def test_the_corpus(self):
        self.only_queue(MAILBOX, first_fetch_limit=0, start_from="all", max_email_size_kb=25600)
        names = {}
        for file in sorted(CORPUS.glob("*.eml")):
            put = self.tenant.put_mail(MAILBOX, wire_form(file))
            names[put["immutable_ids"][0]] = file
        result = self.run_host()
        self.assertEqual(0, result.code, result.err)
        received = {event["message_id"]: event for event in result.messages}
        self.assertEqual(set(names), set(received))
        for immutable_id, file in names.items():
            with self.subTest(file=file.name):
                self.compare(file, received[immutable_id])

    def compare(self, file, event):
        explained = DIFFERENCES.get(file.name, {})
        message = email.message_from_bytes(wire_form(file), policy=email.policy.default)
        compat = email.message_from_bytes(wire_form(file), policy=email.policy.compat32)
        flags = set(event["flags"])
        self.assertLessEqual(FLAGS.get(file.name, set()), flags)
        if file.name in NO_BOUNCE:
            self.assertNotIn("bounce", flags)
        if "subject" not in explained:
            subject = subject_of(compat)
            if subject is not None:
                self.assertEqual(subject, squeeze(event["subject"]))
        if "from" not in explained and compat.get("From"):
            _, address = email.utils.parseaddr(str(compat["From"]))
            self.assertEqual(address.lower(), ((event["from"] or {}).get("address") or "").lower())
        if "attachments" not in explained:
            try:
                wanted = attachments_of(message)
            except (KeyError, LookupError, UnicodeDecodeError):
                wanted = []
            hashes = [each["sha256"] for each in event["attachments"]]
            for name, digest in wanted:
                self.assertIn(digest, hashes, f"attachment {name!r}")
        if "body" not in explained:
            self.compare_body(message, event)

    def compare_body(self, message, event):
        try:
            body = message.get_body(("html", "plain"))
            content = body.get_content() if body is not None else None
        except (KeyError, LookupError, UnicodeDecodeError, AttributeError):
            return
        if not isinstance(content, str) or "\ufffd" in content:
            return
        if body.get_content_subtype() == "html":
            words = re.findall(r"[^\W_]{4,}", re.sub(r"<[^>]*>", " ", re.sub(r"(?is)<(script|style).*?</\1>", " ", content)))
            shown = event["html"] or event["text"] or ""
        else:
            words = re.findall(r"[^\W_]{4,}", content)
            shown = event["text"] or ""
        missing = [word for word in words[:200] if word not in shown]
        self.assertLessEqual(len(missing), len(words[:200]) // 20, f"words that did not arrive: {missing[:10]}")


class ExportedFiles(TenantTestCase):
    """Attachment bytes as they lie on the host's disk, and names that are data, never a path."""

    def test_names_are_data(self):
        self.only_queue(MAILBOX)
        names = ["../../x", "/etc/passwd", "CON", "a" * 300, "tab\there", "\u202egpj.exe", "", "same.txt", "same.txt"]
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
        contents = {path.read_bytes() for path in target.rglob("*") if path.is_file()}
        for number in range(len(names)):
            self.assertIn(f"content {number}".encode(), contents)
        for folder in (self.folder, target.parent, target.parent.parent):
            self.assertFalse((folder / "x").exists(), f"../ was followed to {folder}")
        for path in target.rglob("*"):
            self.assertLessEqual(len(path.name.encode()), 255)


if __name__ == "__main__":
    unittest.main()
