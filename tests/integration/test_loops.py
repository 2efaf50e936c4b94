"""Reply loops: automatic answers are marked, counted by queue and correspondent, and end."""
import email
import json
import time
import unittest

from harness import TenantTestCase, mail

SUPPORT = "support@contoso.example"
MACHINE = "customer@fabrikam.example"


class Loops(TenantTestCase):
    def setUp(self):
        super().setUp()
        self.only_queue(SUPPORT)
        self.incoming["poll_seconds"] = 1

    def rows(self, first, count, **extra):
        rows = [{"from": SUPPORT, "to": MACHINE, "subject": f"Received {n}", "text": "We have your mail.",
                 "key": f"auto-{n}", "automatic": True, **extra} for n in range(first, first + count)]
        return self.file(f"batch-{first}.jsonl", "".join(json.dumps(row) + "\n" for row in rows))

    def verdicts(self, result):
        return [event["verdict"] for event in result.of("sent")]

    def test_ten_automatic_answers_in_ten_minutes(self):
        sent = self.send("--batch", self.rows(0, 12), "--json", timeout=300)
        self.assertEqual(["accepted"] * 10 + ["rejected"] * 2, self.verdicts(sent), sent.err)
        self.assertEqual(1, sent.code)
        self.assertIn(f"10 automatic answers went from {SUPPORT} to {MACHINE} within 10 minutes",
                      sent.of("sent")[-1]["reason"])
        # In a new process too; what a person writes leaves.
        again = self.send("--batch", self.rows(12, 1), "--json")
        self.assertEqual(["rejected"], self.verdicts(again), again.err)
        by_hand = self.send("--batch", self.rows(13, 1, automatic=False), "--json")
        self.assertEqual(["accepted"], self.verdicts(by_hand), by_hand.err)
        arrived = self.tenant.messages(MACHINE, "inbox")
        self.assertEqual(11, len(arrived))
        for message in arrived:
            headers = self.headers_of(MACHINE, message)
            marked = message["subject"] != "Received 13"
            self.assertEqual("All" if marked else None, headers.get("X-Auto-Response-Suppress"), message["subject"])
        # The administrator allows more.
        self.outgoing["automatic_replies_limit"] = 0
        more = self.send("--batch", self.rows(14, 3), "--json")
        self.assertEqual(["accepted"] * 3, self.verdicts(more), more.err)

    def headers_of(self, mailbox, message):
        return email.message_from_bytes(self.tenant.mime(mailbox, message["immutable_id"]))

    def test_an_automatic_answer_of_the_command_line(self):
        sent = self.send("--from", SUPPORT, "--to", MACHINE, "--subject", "Received", "--text",
                         self.file("body.txt", "We have your mail."), "--automatic")
        self.assertEqual(0, sent.code, sent.err)
        (arrived,) = self.tenant.messages(MACHINE, "inbox")
        self.assertEqual("All", self.headers_of(MACHINE, arrived).get("X-Auto-Response-Suppress"))

    def test_two_machines_that_answer_each_other_come_to_an_end(self):
        """The other one obeys no header and says nowhere that it is a machine."""
        self.outgoing.update(automatic_replies_limit=4, automatic_replies_minutes=60)
        batch = self.file("batch.jsonl", "")
        process, events = self.start_host("--batch", batch)
        self.tenant.put_mail(SUPPORT, mail(sender=MACHINE, subject="Hello"))
        answered, seen = set(), set()
        deadline = time.monotonic() + 90
        ended = None
        while not ended:
            self.assertLess(time.monotonic(), deadline, "the loop never ended")
            for event in self.read_events(events):
                if event["event"] == "message" and event["delivery_id"] not in answered:
                    answered.add(event["delivery_id"])
                    row = {"from": SUPPORT, "to": MACHINE, "subject": "Re: " + event["subject"][:40], "text": "Thanks.",
                           "in_reply_to": event["delivery_id"], "key": "ack-" + event["delivery_id"],
                           "automatic": True}
                    with open(batch, "a", encoding="utf-8") as out:
                        out.write(json.dumps(row) + "\n")
                if event["event"] == "sent" and event["verdict"] == "rejected":
                    ended = event
            for message in self.tenant.messages(MACHINE, "inbox"):
                if message["immutable_id"] not in seen:
                    seen.add(message["immutable_id"])
                    self.tenant.put_mail(SUPPORT, mail(sender=MACHINE, subject=f"I am away {len(seen)}"))
            time.sleep(0.1)
        process.terminate()
        _, said = process.communicate()
        self.assertEqual(1, process.returncode, said)
        self.assertIn("automatic_replies_limit", said)
        self.assertEqual(4, len(self.tenant.messages(MACHINE, "inbox")))
        self.assertEqual(5, len(self.tenant.messages(SUPPORT, "inbox")), "what it wrote itself was all fetched")
        self.assertEqual(5, len(answered))

    def test_faulty_lines_of_a_batch_that_is_followed(self):
        batch = self.file("batch.jsonl", '{"from": "x"}\nno json\n' + json.dumps(
            {"from": SUPPORT, "to": MACHINE, "subject": "fine", "text": "fine", "key": "fine"}) + "\n"
            + '{"from": "' + SUPPORT)
        result = self.run_host("--batch", batch)
        self.assertEqual(1, result.code, result.out)
        self.assertIn("batch.jsonl:1: key: is missing", result.err)
        self.assertIn("batch.jsonl:2: column", result.err)
        self.assertNotIn("batch.jsonl:4", result.err)
        self.assertEqual(["fine"], [message["subject"] for message in self.tenant.messages(MACHINE, "inbox")])
        # Every start reads it from the beginning; a key leaves once.
        self.run_host("--batch", batch)
        self.assertEqual(1, len(self.tenant.messages(MACHINE, "inbox")))


if __name__ == "__main__":
    unittest.main()
