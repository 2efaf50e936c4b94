"""Awkward servers and people: nothing is lost, nothing comes twice, and what went wrong is said. Where waiting would be
long (an outage of an hour, a host that rejects for an hour, a mailbox throttled for an hour) the unit tests play it on a
clock of their own; the disk as an enemy is the faults runners'."""
import datetime
import email.message
import email.policy
import json
import random
import time
import unittest

from harness import TenantTestCase, host_sim, mail

SUPPORT = "support@contoso.example"
USER_APP = "5b1f0c52-9a55-4c52-8a19-74a2cf6f0d22"  # of the built-in tenant: sign-in of users, no secret


def hours_ago(hours):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Awkward(TenantTestCase):
    def inbox(self):
        listed = host_sim("inbox", "--data", self.data, "--json")
        self.assertEqual(0, listed.code, listed.err)
        return [json.loads(line) for line in listed.out.splitlines()]

    def assert_each_once(self, wanted):
        """`wanted`: the immutable ids of all mails that ever arrived."""
        ids = [event["message_id"] for event in self.inbox()]
        self.assertEqual(len(set(ids)), len(ids), "a mail is twice in the inbox")
        self.assertEqual(set(wanted), set(ids))

    def ids_in(self, *folders, address=SUPPORT):
        return [message["immutable_id"] for folder in folders for message in self.tenant.messages(address, folder)]

    def folder_names(self, address=SUPPORT):
        return [folder["name"] for folder in self.tenant.mailbox(address)["folders"]]

    def wait_for_messages(self, events, count, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            told = [event for event in self.read_events(events) if event["event"] == "message"]
            if len(told) >= count:
                return told
            time.sleep(0.05)
        self.fail(f"{len(told)} of {count} mails came; the last events: {self.read_events(events)[-3:]}")


class Service(Awkward):
    def setUp(self):
        super().setUp()
        self.incoming["poll_seconds"] = 1

    def test_an_outage_empties_no_inbox(self):
        self.only_queue(SUPPORT)
        self.tenant.flood(SUPPORT, 12)
        process, events = self.start_host()
        self.wait_for_messages(events, 12)
        outage = {"match": {"path": "."}, "effect": {"status": 503, "retry_after": "1"}}
        self.tenant.control("POST", "/faults", outage)
        self.tenant.flood(SUPPORT, 12)
        self.wait_for_event(events, lambda event: event["event"] == "health" and event["cause"] not in ("", "none"))
        time.sleep(4)  # tried again and again meanwhile
        self.assertEqual(12, len([event for event in self.read_events(events) if event["event"] == "message"]))
        self.tenant.control("DELETE", "/faults")
        self.wait_for_messages(events, 24)
        process.terminate()
        self.assertEqual(0, process.wait(30))
        self.assert_each_once(self.ids_in("inbox"))
        self.assertNotIn("Rejected", self.folder_names())

    def test_garbage_for_a_page_of_changes_is_read_again(self):
        self.only_queue(SUPPORT)
        self.tenant.flood(SUPPORT, 12)
        for body in ("garbage", "half", "html", "empty"):
            self.tenant.control("POST", "/faults", {"match": {"operation": "messages.delta", "count": 1},
                                                    "effect": {"body": body}})
        result = self.run_host("--patience", "60")
        self.assertEqual(0, result.code, result.err)
        self.assert_each_once(self.ids_in("inbox"))
        self.assertEqual(12, len(self.inbox()))
        self.assertNotIn("Rejected", self.folder_names())

    def put_poison(self, received):
        """A mail whose attachments cannot be read until the faults are taken back; its id."""
        poison = email.message.EmailMessage()
        poison["From"], poison["To"], poison["Subject"] = "customer@fabrikam.example", SUPPORT, "Poison"
        poison["Message-ID"] = "<poison@fabrikam.example>"
        poison.set_content("see the file")
        poison.add_attachment(b"content", maintype="application", subtype="octet-stream", filename="file.bin")
        put = self.tenant.put_mail(SUPPORT, poison.as_bytes(policy=email.policy.SMTP), received=received)
        self.tenant.control("POST", "/faults", {"match": {"operation": "attachments.list"}, "effect": {"body": "garbage"}})
        return put["immutable_ids"][0]

    def test_a_mail_whose_attachments_cannot_be_read_is_read_when_they_can(self):
        self.only_queue(SUPPORT)
        self.tenant.flood(SUPPORT, 4, first=hours_ago(2))
        poison = self.put_poison(hours_ago(1))  # behind the others: mails come in the order of their arrival
        process, events = self.start_host()
        self.wait_for_messages(events, 4)
        self.tenant.control("DELETE", "/faults")
        self.wait_for_event(events, lambda event: event.get("message_id") == poison, seconds=120)
        process.terminate()
        self.assertEqual(0, process.wait(30))
        self.assert_each_once(self.ids_in("inbox"))
        self.assertNotIn("Rejected", self.folder_names())

    def test_a_mail_whose_attachments_cannot_be_read_holds_nobody_back(self):
        self.only_queue(SUPPORT)
        poison = self.put_poison(hours_ago(2))
        self.tenant.flood(SUPPORT, 4, first=hours_ago(1))
        process, events = self.start_host()
        told = self.wait_for_messages(events, 4)
        process.terminate()
        self.assertEqual(0, process.wait(30))
        self.assertNotIn(poison, [event["message_id"] for event in told])
        self.assert_each_once(set(self.ids_in("inbox")) - {poison})
        self.assertNotIn("Rejected", self.folder_names())

    def test_mails_of_strange_making(self):
        """Long, deep, empty, not text: each is handed over, and the plain one behind them as well."""
        self.only_queue(SUPPORT)
        deep = b"Content-Type: text/plain\r\n\r\nat the bottom\r\n"
        for level in range(150):
            edge = b"level%d" % level
            deep = (b'Content-Type: multipart/mixed; boundary="' + edge + b'"\r\n\r\n--' + edge + b"\r\n" + deep +
                    b"\r\n--" + edge + b"--\r\n")
        head = b"From: customer@fabrikam.example\r\nTo: support@contoso.example\r\nSubject: "
        strange = {
            "long subject": head + b"x" * 1_000_000 + b"\r\n\r\nbody\r\n",
            "deep": head + b"deep\r\nMIME-Version: 1.0\r\n" + deep,
            "no body": head + b"no body\r\n\r\n",
            "no sender": b"Subject: no sender\r\n\r\nbody\r\n",
            "not UTF-8": head + b"\xff\xfe\x80\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\xc3\x28\xff\r\n",
            "NUL": head + b"NUL\r\n\r\none\x00two\r\n",
            "lone surrogate": head + b"=?utf-8?B?7aCA?=\r\n\r\n\xed\xa0\x80\r\n",
            "no such charset": head + b"=?x-none?Q?a=FF?=\r\nContent-Type: text/html; charset=x-none\r\n\r\n<p>\xff\r\n",
            "many recipients": head + b"many\r\nCc: " + b",\r\n ".join(b"a%d@fabrikam.example" % n for n in range(3000)) +
                               b"\r\n\r\nbody\r\n",
        }
        wanted = {}
        for name, mime in strange.items():
            wanted[self.tenant.put_mail(SUPPORT, mime)["immutable_ids"][0]] = name
        wanted[self.tenant.put_mail(SUPPORT, mail(subject="plain"))["immutable_ids"][0]] = "plain"
        result = self.run_host()
        self.assertEqual(0, result.code, result.err)
        missing = set(wanted) - {event["message_id"] for event in self.inbox()}
        self.assertEqual([], [wanted[each] for each in missing], result.err)
        self.assert_each_once(wanted)

    def test_lost_delta_state_hands_nothing_over_again(self):
        self.only_queue(SUPPORT, first_fetch_limit=0, after_fetch="leave")
        self.tenant.flood(SUPPORT, 5000, size=500)
        self.assertEqual(0, self.run_host("--patience", "60", timeout=300).code)
        self.assertEqual(5000, len(self.inbox()))
        self.tenant.control("POST", "/delta/forget", {})
        self.tenant.put_mail(SUPPORT, mail(subject="after the loss"))
        again = self.run_host("--patience", "60", timeout=300)
        self.assertEqual(0, again.code, again.err)
        self.assertIn("read anew", again.err)
        self.assertEqual(["after the loss"], [event["subject"] for event in again.messages])
        self.assert_each_once(self.ids_in("inbox"))

    def test_a_wrong_password_is_tried_once_whatever_restarts(self):
        """Entra locks an account after ten wrong passwords; a service that restarts must not do that to it."""
        agent = "agent@contoso.example"
        right = json.loads((self.tenant.dir / "credentials.json").read_text())["users"][agent]
        entry = self.only_queue(agent, email_password="wrong-password")
        self.incoming["authentication_type"], self.incoming["client_id"] = "OAuth User", USER_APP
        del self.incoming["secret"]
        self.outgoing["enable"] = False
        self.tenant.put_mail(agent, mail(to=agent))
        self.tenant.control("POST", "/requests/reset", {})
        for _ in range(20):
            result = self.run_host("--patience", "2")
            self.assertEqual(4, result.code, result.out + result.err)
            self.assertIn("password", result.of("health")[-1]["text"].lower())
            self.assertNotIn("wrong-password", result.out + result.err)
        self.assertEqual(1, self.tenant.control("GET", "/requests")["operations"]["token"])
        entry["email_password"] = right
        result = self.run_host()
        self.assertEqual(0, result.code, result.out + result.err)
        self.assertEqual(1, len(result.messages))


class People(Awkward):
    def move(self, address, message, folder):
        self.tenant.control("POST", f"/mailboxes/{address}/messages/{message}/move", {"folder": folder})

    def test_moves_while_fetching(self):
        """Out, back, and into the folder of another queue of the same mailbox: each mail is in the inbox once."""
        mailbox = "orders.mailbox@contoso.onmicrosoft.example"
        first = self.only_queue("orders@contoso.example", email_account=mailbox, first_fetch_limit=0)
        self.queues[0]["numbers_addresses"].append(
            dict(first, address="bestellung@contoso.example", folder="Claims"))
        self.incoming["poll_seconds"] = 1
        self.tenant.control("POST", f"/mailboxes/{mailbox}/folders", {"name": "Claims", "parent": "msgfolderroot"})
        dice = random.Random(5)
        process, events = self.start_host()
        self.wait_for_event(events, lambda event: event["event"] == "started")
        for _ in range(8):
            self.tenant.flood(mailbox, 10)
            for message in dice.sample(self.ids_in("inbox", address=mailbox), 5):
                self.move(mailbox, message, dice.choice(["archive", "Claims"]))
            for message in dice.sample(held := self.ids_in("archive", address=mailbox), len(held) // 2):
                self.move(mailbox, message, "inbox")
            time.sleep(dice.uniform(0, 0.7))
        for message in self.ids_in("archive", address=mailbox):
            self.move(mailbox, message, "inbox")
        process.terminate()
        self.assertEqual(0, process.wait(30))
        rest = self.run_host()
        self.assertEqual(0, rest.code, rest.err)
        everything = self.ids_in("inbox", "Claims", address=mailbox)
        self.assertEqual(80, len(everything))
        self.assert_each_once(everything)

    def test_a_mail_released_from_junk_late_comes_once(self):
        self.only_queue(SUPPORT)
        days_ago = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 5 * 86400))
        put = self.tenant.put_mail(SUPPORT, mail(subject="held by the filter"), folder="junkemail", received=days_ago)
        self.tenant.put_mail(SUPPORT, mail())
        self.assertEqual(1, len(self.run_host().messages))
        self.move(SUPPORT, put["immutable_ids"][0], "inbox")
        (released,) = self.run_host().messages
        self.assertEqual("held by the filter", released["subject"])
        self.assertEqual([], self.run_host().messages)

    def running(self, **queue):
        """A host at work on one queue: (process, events file)."""
        self.only_queue(SUPPORT, **queue)
        self.incoming["poll_seconds"] = 1
        process, events = self.start_host()
        self.wait_for_event(events, lambda event: event["event"] == "started")
        return process, events

    def wait_for_subject(self, events, subject):
        return self.wait_for_event(events, lambda event: event["event"] == "message" and event["subject"] == subject)

    def wait_for_health(self, events, state, cause=None):
        """The address is in this state now."""
        deadline = time.monotonic() + 120
        told = []
        while time.monotonic() < deadline:
            told = [event for event in self.read_events(events) if event["event"] == "health" and event["address"]]
            if told and told[-1]["state"] == state and cause in (None, told[-1]["cause"]):
                return told[-1]
            time.sleep(0.05)
        self.fail(f"never {state} {cause}; the last ones: {told[-3:]}")

    def end(self, process, events, subjects):
        process.terminate()
        self.assertEqual(0, process.wait(30))
        told = [event["subject"] for event in self.read_events(events) if event["event"] == "message"]
        self.assertEqual(subjects, told)

    def troubles(self, events):
        return [event for event in self.read_events(events) if event["event"] == "health" and event["address"]
                and event["state"] in ("degraded", "failed")]

    def test_a_mail_moved_out_and_back_is_silence(self):
        process, events = self.running()
        put = self.tenant.put_mail(SUPPORT, mail(subject="one"))["immutable_ids"][0]
        self.wait_for_subject(events, "one")
        for forgetful in (False, True):  # the second time as the change feed has been seen to: it does not show the return
            self.tenant.control("POST", "/behaviour", {"delta_forgets_returned": forgetful})
            self.move(SUPPORT, put, "archive")
            time.sleep(1.5)
            self.move(SUPPORT, put, "inbox")
            time.sleep(1.5)
        self.tenant.put_mail(SUPPORT, mail(subject="two"))
        self.wait_for_subject(events, "two")
        self.assertEqual([], self.troubles(events))
        self.end(process, events, ["one", "two"])

    def test_a_renamed_folder_is_silence(self):
        folder = self.claims()
        process, events = self.running(folder="inbox/Claims")
        self.tenant.put_mail(SUPPORT, mail(subject="one"), folder=folder)
        self.wait_for_subject(events, "one")
        self.tenant.control("PATCH", f"/mailboxes/{SUPPORT}/folders/{folder}", {"name": "Versicherung"})
        self.tenant.put_mail(SUPPORT, mail(subject="two"), folder=folder)
        self.wait_for_subject(events, "two")
        self.assertEqual([], self.troubles(events))
        self.end(process, events, ["one", "two"])
        self.tenant.put_mail(SUPPORT, mail(subject="three"), folder=folder)
        result = self.run_host()  # also after a start, for the folder's id is kept
        self.assertEqual(0, result.code, result.err)
        self.assertEqual(["three"], [event["subject"] for event in result.messages])

    def test_a_deleted_folder_is_named_and_its_return_noticed(self):
        folder = self.claims()
        process, events = self.running(folder="inbox/Claims")
        self.tenant.put_mail(SUPPORT, mail(subject="one"), folder=folder)
        self.wait_for_subject(events, "one")
        self.tenant.control("DELETE", f"/mailboxes/{SUPPORT}/folders/{folder}")
        told = self.wait_for_health(events, "failed", "folder_missing")
        self.assertIn("Claims", told["text"])
        self.tenant.put_mail(SUPPORT, mail(subject="two"), folder=self.claims())
        self.wait_for_subject(events, "two")
        self.wait_for_health(events, "ready")
        self.end(process, events, ["one", "two"])

    def test_a_mailbox_that_is_removed_and_restored(self):
        """First blocked for a while, as a removed licence does; then deleted, and another one made under its name."""
        process, events = self.running()
        self.tenant.put_mail(SUPPORT, mail(subject="one"))
        self.wait_for_subject(events, "one")
        options = f"/mailboxes/{SUPPORT}/options"
        self.tenant.control("PATCH", options, {"not_enabled": True})
        told = self.wait_for_health(events, "failed", "mailbox_unknown")
        self.assertIn(SUPPORT, told["text"])
        self.tenant.control("PATCH", options, {"not_enabled": False})
        self.tenant.put_mail(SUPPORT, mail(subject="two"))
        self.wait_for_subject(events, "two")
        self.wait_for_health(events, "ready")
        (user,) = [user for user in self.tenant.control("GET", "/directory")["users"] if user["upn"] == SUPPORT]
        self.tenant.control("DELETE", f"/users/{SUPPORT}")
        self.wait_for_health(events, "failed", "mailbox_unknown")
        self.tenant.control("POST", "/users", {"upn": SUPPORT, "name": user["name"], "shared": True})
        self.tenant.put_mail(SUPPORT, mail(subject="three"))
        self.wait_for_subject(events, "three")
        self.wait_for_health(events, "ready")
        self.end(process, events, ["one", "two", "three"])

    def claims(self):
        made = self.tenant.control("POST", f"/mailboxes/{SUPPORT}/folders", {"name": "Claims", "parent": "inbox"})
        return made["id"]


if __name__ == "__main__":
    unittest.main()
