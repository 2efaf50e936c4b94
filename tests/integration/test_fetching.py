"""Fetching: what comes, in which order, under which conditions."""
import json
import unittest

from harness import TenantTestCase, host_sim, mail


class Fetching(TenantTestCase):
    def test_a_mail_comes_once_and_is_marked_read(self):
        self.only_queue("support@contoso.example")
        self.tenant.put_mail("support@contoso.example", mail(subject="Where is order 17?", message_id="<q1@fabrikam.example>"))
        result = self.run_host()
        self.assertEqual(0, result.code, result.err)
        (message,) = result.messages
        self.assertEqual("Where is order 17?", message["subject"])
        self.assertEqual("<q1@fabrikam.example>", message["internet_message_id"])
        self.assertEqual("customer@fabrikam.example", message["from"]["address"])
        self.assertEqual("support@contoso.example", message["delivered_to"])
        self.assertEqual("accepted", message["verdict"])
        self.assertFalse(message["redelivered"])
        (held,) = self.tenant.messages("support@contoso.example", "inbox")
        self.assertTrue(held["is_read"])
        again = self.run_host()
        self.assertEqual(0, again.code, again.err)
        self.assertEqual([], again.messages)

    def test_the_lowest_priority_value_is_served_first(self):
        """The documents' example: queue A has priority 5, queue B has 10; A is allocated first."""
        for queue in self.queues:
            self.tenant.flood(queue["numbers_addresses"][0]["address"], 12)
        self.queues[:] = self.queues[:2]
        self.queues[0]["contact_management"] = {"priority": 10}
        self.queues[1]["contact_management"] = {"priority": 10}
        self.queues[1]["numbers_addresses"][0]["priority"] = 5
        self.queues[0]["numbers_addresses"][0].pop("priority", None)
        self.incoming["workers"] = 1
        result = self.run_host()
        self.assertEqual(0, result.code, result.err)
        priorities = [message["priority"] for message in result.messages]
        self.assertEqual([5] * 12 + [10] * 12, priorities)

    def test_a_mailbox_in_finnish(self):
        """Folder names are localised, well-known names are not; the address's language overrides the queue's."""
        entry = self.only_queue("asiakaspalvelu@contoso.example", extension_language="fi", folder="inbox")
        self.queues[0]["basics"] = {"language": "en"}
        subject = "=?utf-8?B?TWlzc8OkIG9uIHRpbGF1a3NlbmkgMTc/?="
        self.tenant.put_mail(entry["address"], mail(to=entry["address"], subject=subject, body="Hyvää päivää, äöå"))
        result = self.run_host()
        self.assertEqual(0, result.code, result.err)
        (message,) = result.messages
        self.assertEqual("Missä on tilaukseni 17?", message["subject"])
        self.assertEqual("fi", message["language"])
        self.assertIn("Hyvää päivää, äöå", message["text"])
        self.assertNotEqual("inbox", message["folder"].lower())

    def test_an_app_with_only_mail_readwrite_fetches_and_sending_says_what_is_missing(self):
        self.only_queue("support@contoso.example")
        self.tenant.control("PATCH", f"/apps/{self.incoming['client_id']}", {"roles": ["Mail.ReadWrite"]})
        self.tenant.put_mail("support@contoso.example", mail())
        result = self.run_host()
        self.assertEqual(0, result.code, result.err)
        self.assertEqual(1, len(result.messages))
        sent = self.send("--from", "support@contoso.example", "--to", "customer@fabrikam.example", "--subject", "Re",
                         "--text", self.file("body.txt", "Hello"), "--json")
        self.assertEqual(1, sent.code, sent.err)
        self.assertIn("Mail.Send", sent.out + sent.err)
        self.assertEqual([], self.tenant.messages("customer@fabrikam.example", "inbox"))

    def test_two_addresses_of_one_mailbox_are_told_apart_from_two_mailboxes(self):
        """Two addresses can name one mailbox: its folder is fetched once, and the second says so."""
        first = self.only_queue("orders@contoso.example", email_account="orders.mailbox@contoso.onmicrosoft.example")
        second = dict(first, address="bestellung@contoso.example")
        self.queues[0]["numbers_addresses"].append(dict(second, email_account=self.tenant.mailbox("orders.mailbox@contoso.onmicrosoft.example")["id"]))
        self.tenant.put_mail("orders.mailbox@contoso.onmicrosoft.example", mail(to="orders@contoso.example"))
        result = self.run_host()
        self.assertEqual(1, result.code, result.err)
        self.assertEqual(1, len(result.messages))
        shared = [event for event in result.of("health") if event["cause"] == "folder_shared"]
        self.assertTrue(shared, result.out)
        self.assertIn("orders@contoso.example", shared[0]["text"])
        self.assertIn("bestellung@contoso.example", shared[0]["text"])

    def test_an_address_that_is_not_the_upn(self):
        entry = self.only_queue("orders@contoso.example")
        self.tenant.put_mail("orders.mailbox@contoso.onmicrosoft.example", mail(to="orders@contoso.example"))
        result = self.run_host("--patience", "3")
        self.assertEqual(4, result.code, result.err)
        self.assertIn("mailbox_unknown", {event["cause"] for event in result.of("health")})
        entry["email_account"] = "orders.mailbox@contoso.onmicrosoft.example"
        result = self.run_host()
        self.assertEqual(0, result.code, result.err)
        (message,) = result.messages
        self.assertEqual("orders@contoso.example", message["delivered_to"])

    def test_a_mailbox_outside_the_policy_holds_nobody_else_back(self):
        self.queues[0]["numbers_addresses"].append(
            {"address": "ceo@contoso.example", "email_server": self.incoming["name"]})
        self.tenant.put_mail("support@contoso.example", mail())
        result = self.run_host()
        self.assertEqual(1, result.code, result.err)
        self.assertEqual(1, len(result.messages))
        forbidden = [event for event in result.of("health") if event["cause"] == "mailbox_forbidden"]
        self.assertEqual("ceo@contoso.example", forbidden[0]["address"])
        self.assertTrue(forbidden[0]["request_id"])

    def test_after_fetch_and_folders(self):
        entry = self.only_queue("support@contoso.example", after_fetch="move:Done by the contact center")
        self.tenant.put_mail(entry["address"], mail(subject="to be moved"))
        self.assertEqual(0, self.run_host().code)
        self.assertEqual(["to be moved"], [m["subject"] for m in
                                           self.tenant.messages(entry["address"], "Done by the contact center")])
        entry["after_fetch"] = "delete"
        self.tenant.put_mail(entry["address"], mail(subject="to be deleted"))
        self.assertEqual(0, self.run_host().code)
        self.assertEqual(["to be deleted"], [m["subject"] for m in self.tenant.messages(entry["address"], "deleteditems")])
        entry["after_fetch"] = "leave"
        self.tenant.put_mail(entry["address"], mail(subject="to be left"))
        self.assertEqual(0, self.run_host().code)
        self.assertEqual([("to be left", False)], [(m["subject"], m["is_read"]) for m in
                                                   self.tenant.messages(entry["address"], "inbox")])

    def test_read_receipts_are_sent_only_where_they_shall_be(self):
        """Whether the PATCH that marks a mail can hold its receipt back is not documented: right under both readings."""
        entry = self.only_queue("support@contoso.example")
        wanted = mail(headers=("Disposition-Notification-To: customer@fabrikam.example",))
        for in_one_patch in (True, False):
            with self.subTest(in_one_patch=in_one_patch):
                self.tenant.control("POST", "/behaviour", {"patch_suppresses_receipt": in_one_patch})
                other_id = wanted.replace(b"Message-ID: <", f"Message-ID: <{in_one_patch}".encode())
                self.tenant.put_mail(entry["address"], other_id)
                (message,) = self.run_host().messages
                self.assertTrue(message["read_receipt_requested"])
                self.assertEqual({True}, {m["is_read"] for m in self.tenant.messages(entry["address"], "inbox")})
                self.assertEqual([], self.tenant.messages("customer@fabrikam.example", "inbox"))
        entry["read_receipts"] = "leave"
        self.tenant.put_mail(entry["address"], wanted)
        self.assertEqual(1, len(self.run_host().messages))
        (receipt,) = self.tenant.messages("customer@fabrikam.example", "inbox")
        self.assertIn("Read:", receipt["subject"])

    def test_a_folder_by_its_path(self):
        """The first part may be well-known; a slash in a name is written as \\/; the id is kept when it is renamed."""
        entry = self.only_queue("asiakaspalvelu@contoso.example", folder="inbox/Claims\\/Returns")
        mailbox = f"/mailboxes/{entry['address']}"
        folder = self.tenant.control("POST", f"{mailbox}/folders", {"name": "Claims/Returns", "parent": "inbox"})
        self.tenant.put_mail(entry["address"], mail(subject="in the inbox"))
        self.tenant.put_mail(entry["address"], mail(subject="in the folder"), folder=folder["id"])
        (message,) = self.run_host().messages
        self.assertEqual(("in the folder", "Claims/Returns"), (message["subject"], message["folder"]))
        self.tenant.control("PATCH", f"{mailbox}/folders/{folder['id']}", {"name": "Reklamaatiot"})
        self.tenant.put_mail(entry["address"], mail(subject="after the renaming"), folder=folder["id"])
        (message,) = self.run_host().messages
        self.assertEqual("after the renaming", message["subject"])

    def test_what_the_host_rejects_is_moved_aside(self):
        entry = self.only_queue("support@contoso.example")
        self.tenant.put_mail(entry["address"], mail(sender="prize@lottery.example", subject="You have won"))
        self.tenant.put_mail(entry["address"], mail(subject="Order 17"))
        result = self.run_host("--reject-from", "Prize@lottery.example")
        self.assertEqual(0, result.code, result.err)
        self.assertEqual({"You have won": "rejected", "Order 17": "accepted"},
                         {message["subject"]: message["verdict"] for message in result.messages})
        self.assertEqual(1, result.of("stopped")[0]["received"])
        self.assertEqual(["You have won"], [m["subject"] for m in self.tenant.messages(entry["address"], "Rejected")])
        self.assertEqual([], self.run_host().messages)

    def test_a_signed_in_user_reads_his_own_mailbox(self):
        """OAuth User: the app of the built-in tenant that allows public client flows, and the account's password."""
        credentials = json.loads((self.tenant.dir / "credentials.json").read_text())
        self.only_queue("agent@contoso.example", email_password=credentials["users"]["agent@contoso.example"])
        self.incoming["authentication_type"] = "OAuth User"
        self.incoming["client_id"] = "5b1f0c52-9a55-4c52-8a19-74a2cf6f0d22"
        del self.incoming["secret"]
        self.tenant.put_mail("agent@contoso.example", mail(to="agent@contoso.example"))
        result = self.run_host()
        self.assertEqual(0, result.code, result.err)
        self.assertEqual(1, len(result.messages))

    def test_the_first_fetch_has_a_limit_that_an_administrator_lifts(self):
        entry = self.only_queue("support@contoso.example", first_fetch_limit=5)
        self.tenant.flood(entry["address"], 8, first="2026-11-01T08:00:00Z")
        held = self.run_host()
        self.assertEqual(1, held.code, held.err)
        self.assertEqual([], held.messages)
        first = [event for event in held.of("health") if event["cause"] == "first_fetch"]
        self.assertIn("8", first[0]["text"])
        entry["start_from"] = "all"
        lifted = self.run_host()
        self.assertEqual(0, lifted.code, lifted.err)
        self.assertEqual(8, len(lifted.messages))

    def test_a_folder_that_does_not_exist_is_named(self):
        self.only_queue("support@contoso.example", folder="inbox/Claims")
        result = self.run_host("--patience", "2")
        self.assertIn(result.code, (1, 4), result.err)
        missing = [event for event in result.of("health") if event["cause"] == "folder_missing"]
        self.assertIn("Claims", missing[0]["text"])

    def test_a_killed_host_loses_and_doubles_nothing(self):
        entry = self.only_queue("support@contoso.example", first_fetch_limit=0)
        self.tenant.flood(entry["address"], 300)
        process, events = self.start_host()
        self.wait_for_event(events, lambda _: len(self.read_events(events)) > 60)
        process.kill()
        process.wait()
        rest = self.run_host()
        self.assertEqual(0, rest.code, rest.err)
        listed = host_sim("inbox", "--data", self.data, "--json")
        ids = [event["delivery_id"] for event in map(json.loads, listed.out.splitlines())]
        self.assertEqual(300, len(set(ids)))
        self.assertEqual(300, len(ids))
        self.assertEqual({True}, {m["is_read"] for m in self.tenant.messages(entry["address"], "inbox")})


if __name__ == "__main__":
    unittest.main()
