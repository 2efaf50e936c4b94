"""Mails that need care: what each is told by, and what of it the host gets."""
import base64
import unittest

from harness import TenantTestCase, mail

SUPPORT = "support@contoso.example"
PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n pixel").decode()


def multipart(kind, *parts, headers=()):
    """A mail of these parts, each (header fields, body)."""
    lines = ["From: Customer <customer@fabrikam.example>", f"To: {SUPPORT}", "Subject: with care", *headers,
             "MIME-Version: 1.0", f"Content-Type: multipart/{kind}; boundary=b", ""]
    for fields, body in parts:
        lines += ["--b", *fields, "", body]
    return "\r\n".join([*lines, "--b--", ""]).encode()


TEXT = (["Content-Type: text/plain"], "Hello")


class Kinds(TenantTestCase):
    def fetched(self, content, **settings):
        """The one mail as the host gets it."""
        self.only_queue(SUPPORT, **settings)
        self.tenant.put_mail(SUPPORT, content)
        result = self.run_host()
        self.assertEqual(0, result.code, result.err)
        (message,) = result.messages
        self.assertEqual("accepted", message["verdict"])
        return message

    def test_safe_links(self):
        link = ("https://nam02.safelinks.protection.outlook.com/?url=https%3A%2F%2Fshop.example%2Fitem%3Fid%3D7%26c%3D1"
                "&amp;data=05%7C01%7Csupport%40contoso.example&amp;sdata=x%3D&amp;reserved=0")
        message = self.fetched(mail(body=f'<p><a href="{link}">the item</a></p>', html=True))
        self.assertEqual(["links_rewritten"], message["flags"])
        ((shown, original),) = message["links"]
        self.assertEqual(link.replace("&amp;", "&"), shown)
        self.assertEqual("https://shop.example/item?id=7&c=1", original)
        self.assertIn(link, message["html"])  # the body stays as the service has it

    def test_rights_protected(self):
        message = self.fetched(multipart("mixed", TEXT, (
            ["Content-Type: application/x-microsoft-rpmsg-message; name=message.rpmsg",
             "Content-Transfer-Encoding: base64"], "dugEYMQR44Y=")))
        self.assertEqual(["rights_protected"], message["flags"])

    def test_encrypted(self):
        content = mail().replace(b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit",
                                 b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n"
                                 b"Content-Transfer-Encoding: base64").replace(b"\r\nHello", b"\r\nMIAGCSqGSIb3DQEHA6CA")
        message = self.fetched(content)
        self.assertEqual(["encrypted"], message["flags"])
        self.assertEqual(["smime.p7m"], [each["name"] for each in message["attachments"]])

    def test_oversize(self):
        large = base64.encodebytes(bytes(300_000)).decode().replace("\n", "\r\n")
        message = self.fetched(multipart("mixed", TEXT, (
            ["Content-Type: application/pdf; name=plan.pdf", "Content-Transfer-Encoding: base64"], large)),
            max_email_size_kb=100)
        self.assertEqual(["oversize"], message["flags"])
        self.assertEqual("Hello", message["text"].strip())
        ((name, digest),) = [(each["name"], each["sha256"]) for each in message["attachments"]]
        self.assertEqual(("plan.pdf", None), (name, digest))

    def test_a_meeting_request(self):
        calendar = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\nEND:VEVENT\r\nEND:VCALENDAR"
        message = self.fetched(multipart("alternative", TEXT, (
            ["Content-Type: text/calendar; method=REQUEST; charset=utf-8"], calendar)))
        self.assertEqual(["meeting"], message["flags"])
        self.assertEqual([("invite.ics", "text/calendar")],
                         [(each["name"], each["media_type"]) for each in message["attachments"]])

    def test_mass_mail(self):
        self.assertEqual(["bulk"], self.fetched(mail(headers=("List-Id: <news.shop.example>",)))["flags"])

    def test_our_own_words_back(self):
        self.assertEqual(["own_mail"], self.fetched(mail(sender=SUPPORT))["flags"])

    def test_a_mail_under_scan(self):
        message = self.fetched(multipart("mixed", TEXT, (
            ['Content-Type: text/html; name="ATP Scan In Progress.htm"'], "<p>scanning</p>")), scan_wait_minutes=0)
        self.assertEqual(["scan_pending"], message["flags"])

    def test_a_picture_inside_the_text_alone(self):
        """Graph says hasAttachments false of it."""
        message = self.fetched(multipart(
            "related", (["Content-Type: text/html"], '<p>see <img src="cid:pic@shop"></p>'),
            (["Content-Type: image/png", "Content-ID: <pic@shop>", "Content-Transfer-Encoding: base64"], PIXEL)))
        self.assertEqual([], message["flags"])
        ((kind, inline, content_id),) = [(each["kind"], each["inline"], each["content_id"])
                                         for each in message["attachments"]]
        self.assertEqual(("file", True, "pic@shop"), (kind, inline, content_id))


if __name__ == "__main__":
    unittest.main()
