"""Sending: replies arrive once, whole, in their thread."""
import hashlib
import json
import os
import unittest

from harness import TenantTestCase, host_sim, mail

SUPPORT = "support@contoso.example"
CUSTOMER = "customer@fabrikam.example"


class Sending(TenantTestCase):
    def setUp(self):
        super().setUp()
        self.only_queue(SUPPORT)
        self.body = self.file("body.txt", "Thank you, it leaves today.")

    def arrived(self):
        return self.tenant.messages(CUSTOMER, "inbox")

    def reply(self, *extra, subject="Re: Order 17", **options):
        return self.send("--from", SUPPORT, "--to", CUSTOMER, "--subject", subject, "--text", self.body, *extra, **options)

    def test_a_reply_arrives_once_in_its_thread(self):
        self.tenant.put_mail(SUPPORT, mail(message_id="<q1@fabrikam.example>",
                                           headers=("References: <q0@fabrikam.example>",)))
        (question,) = self.run_host().messages
        sent = self.reply("--in-reply-to", question["delivery_id"], "--key", "case-17-1")
        self.assertEqual(0, sent.code, sent.err)
        (arrived,) = self.arrived()
        self.assertEqual("<q1@fabrikam.example>", arrived["in_reply_to"])
        self.assertIn("<q0@fabrikam.example>", arrived["references"])
        self.assertIn("<q1@fabrikam.example>", arrived["references"])
        again = self.reply("--in-reply-to", question["delivery_id"], "--key", "case-17-1")
        self.assertEqual(0, again.code, again.err)
        self.assertEqual(1, len(self.arrived()))
        self.assertEqual([], self.tenant.messages(SUPPORT, "drafts"))
        self.assertEqual(1, len(self.tenant.messages(SUPPORT, "sentitems")))

    def test_a_reply_is_threaded_also_when_the_question_has_left_the_mailbox(self):
        self.tenant.put_mail(SUPPORT, mail(message_id="<q2@fabrikam.example>"))
        (question,) = self.run_host().messages
        (held,) = self.tenant.messages(SUPPORT, "inbox")
        self.tenant.control("DELETE", f"/mailboxes/{SUPPORT}/messages/{held['id']}")
        sent = self.reply("--in-reply-to", question["delivery_id"])
        self.assertEqual(0, sent.code, sent.err)
        (arrived,) = self.arrived()
        self.assertEqual("<q2@fabrikam.example>", arrived["in_reply_to"])

    def test_attachments_of_all_sizes_arrive_whole(self):
        files = {"empty.txt": b"", "small.bin": os.urandom(1000), "border.bin": os.urandom(3_000_000),
                 "large.bin": os.urandom(9_000_001)}
        arguments = []
        for name, content in files.items():
            arguments += ["--attach", self.file(name, content)]
        sent = self.reply(*arguments)
        self.assertEqual(0, sent.code, sent.err)
        (arrived,) = self.arrived()
        found = {each["name"]: each["sha256"] for each in arrived["attachments"]}
        self.assertEqual({name: hashlib.sha256(content).hexdigest() for name, content in files.items()}, found)

    def test_text_html_copies_and_an_inline_picture(self):
        picture = self.file("logo.png", b"\x89PNG\r\n\x1a\n" + os.urandom(200))
        html = self.file("body.html", '<p>Thank you</p><img src="cid:logo.png">')
        sent = self.reply("--html", html, "--cc", "agent@contoso.example", "--bcc", "sales@contoso.example",
                          "--reply-to", "sales@contoso.example", "--attach", picture)
        self.assertEqual(0, sent.code, sent.err)
        (arrived,) = self.arrived()
        self.assertIn("agent@contoso.example", json.dumps(arrived))
        self.assertNotIn("bcc", json.dumps(arrived.get("headers", "")).lower())
        self.assertEqual([True], [each["inline"] for each in arrived["attachments"]])
        self.assertEqual(1, len(self.tenant.messages("sales@contoso.example", "inbox")))

    def test_a_send_answered_504_arrives_once(self):
        self.tenant.control("POST", "/faults", [{"match": {"operation": "messages.send", "count": 1},
                                                 "effect": {"status": 504, "work": "done"}}])
        sent = self.reply()
        self.assertEqual(0, sent.code, sent.err)
        self.assertEqual(1, len(self.arrived()))

    def test_an_app_with_only_mail_send_sends_in_one_call(self):
        self.tenant.control("PATCH", f"/apps/{self.outgoing['server_user']}", {"roles": ["Mail.Send"]})
        sent = self.reply()
        self.assertEqual(0, sent.code, sent.err)
        self.assertEqual(1, len(self.arrived()))

    def test_only_queue_addresses_with_sender_may_send(self):
        self.address()["sender"] = False
        refused = self.reply()
        self.assertEqual(2, refused.code)
        self.assertIn("sender", refused.err.lower())
        stranger = self.send("--from", "ceo@contoso.example", "--to", CUSTOMER, "--subject", "x", "--text", self.body)
        self.assertEqual(2, stranger.code)
        self.assertEqual([], self.arrived())

    def test_sending_switched_off_is_a_sentence(self):
        self.outgoing["enable"] = False
        refused = self.reply()
        self.assertNotEqual(0, refused.code)
        self.assertIn("enable", refused.err.lower())

    def test_a_batch_is_sent_line_by_line(self):
        lines = [{"from": SUPPORT, "to": [CUSTOMER], "subject": f"Answer {n}", "text": "Hello", "key": f"k{n}"}
                 for n in range(5)]
        batch = self.file("batch.jsonl", "\n".join(json.dumps(line) for line in lines) + "\n")
        sent = host_sim("send", "--plugins", self.plugins(), "--config", self.write_config(), "--data", self.data,
                        "--batch", batch)
        self.assertEqual(0, sent.code, sent.err)
        self.assertEqual({f"Answer {n}" for n in range(5)}, {m["subject"] for m in self.arrived()})

    @staticmethod
    def plugins():
        return os.environ["PLUGINS"]

    def test_a_bounce_of_our_reply_names_our_key(self):
        sent = self.send("--from", SUPPORT, "--to", "nobody@fabrikam.example", "--subject", "Re: Order 18", "--text",
                         self.body, "--key", "case-18-1")
        self.assertEqual(0, sent.code, sent.err)
        result = self.run_host()
        bounces = [message for message in result.messages if "bounce" in message["flags"]]
        self.assertEqual(1, len(bounces), result.out)
        report = bounces[0]["report"]
        self.assertEqual(("failed", "nobody@fabrikam.example", "case-18-1"),
                         (report["kind"], report["recipient"], report["key"]))


if __name__ == "__main__":
    unittest.main()
