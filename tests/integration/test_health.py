"""Every cause of the header, brought about in the simulated world and told to the host with what to do about it."""
import datetime
import json
import pathlib
import re
import unittest

from harness import TenantTestCase, mail

SUPPORT = "support@contoso.example"
AGENT = "agent@contoso.example"
CUSTOMER = "customer@fabrikam.example"
USER_APP = "5b1f0c52-9a55-4c52-8a19-74a2cf6f0d22"  # of the built-in tenant: sign-in of users, no secret
HERE = pathlib.Path(__file__).resolve().parent
HEADER = HERE.parents[1] / "include" / "mailplugin" / "mailplugin.h"


class Causes(unittest.TestCase):
    def test_every_cause_of_the_header_is_asked_for_in_this_folder(self):
        header = HEADER.read_text()
        causes = {name.lower() for name in re.findall(r"MAILPLUGIN_CAUSE_(\w+)", header)} - {"none"}
        tests = "".join(path.read_text() for path in HERE.glob("test_*.py"))
        self.assertEqual(23, len(causes))
        self.assertEqual(set(), {cause for cause in causes if f'"{cause}"' not in tests})


class Told(TenantTestCase):
    def setUp(self):
        super().setUp()
        self.entry = self.only_queue(SUPPORT)
        self.tenant.put_mail(SUPPORT, mail())

    def told(self, cause, *wanted, result=None, address=SUPPORT):
        """The last health event of this cause, of the address or of its server; it says all of `wanted`."""
        result = result or self.run_host("--patience", "2")
        events = [event for event in result.of("health")
                  if event["cause"] == cause and event["address"] in (address, None)]
        self.assertTrue(events, result.out + result.err)
        for text in wanted:
            self.assertIn(text.lower(), events[-1]["text"].lower())
        return events[-1]

    def faults(self, match, **effect):
        self.tenant.control("POST", "/faults", [{"match": match, "effect": effect}])

    def kept_back(self, *options):
        """Submits one mail that cannot leave now; what a run then says."""
        sent = self.send("--from", SUPPORT, "--to", CUSTOMER, "--subject", "Re", "--text",
                         self.file("body.txt", "Hello"), "--patience", "1", *options)
        self.assertIn(sent.code, (1, 4), sent.out + sent.err)
        self.assertEqual([], self.tenant.messages(CUSTOMER, "inbox"))
        return sent

    # -- incoming --
    def test_throttled(self):
        for retry_after in ("40", "40.5", self.http_date(40)):
            with self.subTest(retry_after=retry_after):
                self.faults({"mailbox": SUPPORT}, status=429, code="TooManyRequests", retry_after=retry_after)
                event = self.told("throttled", SUPPORT)
                self.assertEqual(("degraded", "TooManyRequests"), (event["state"], event["code"]))
                due = datetime.datetime.fromisoformat(event["retry_at"].replace("Z", "+00:00"))
                told = datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00"))
                self.assertTrue(20 <= (due - told).total_seconds() <= 60, event)
                self.tenant.control("DELETE", "/faults")

    def http_date(self, seconds):
        when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
        return when.strftime("%a, %d %b %Y %H:%M:%S GMT")

    def test_host_refuses(self):
        for number in range(12):
            self.tenant.put_mail(SUPPORT, mail(sender="prize@lottery.example", subject=f"Prize {number}"))
        result = self.run_host("--patience", "2", "--reject-from", "prize@lottery.example")
        self.told("host_refuses", "10", result=result)
        self.assertNotIn("Rejected", {folder["name"] for folder in self.tenant.mailbox(SUPPORT)["folders"]})
        self.assertEqual(13, len(self.tenant.messages(SUPPORT, "inbox")))

    def sign_in_as(self, user, password=None):
        credentials = json.loads((self.tenant.dir / "credentials.json").read_text())
        self.only_queue(user, email_password=password or credentials["users"][user])
        self.incoming.update(authentication_type="OAuth User", client_id=USER_APP)
        del self.incoming["secret"]
        self.tenant.put_mail(user, mail(to=user))

    def test_password_refused(self):
        self.sign_in_as(AGENT, "wrong")
        self.assertEqual("AADSTS50126", self.told("password_refused", AGENT, "password", address=AGENT)["code"])

    def test_sign_in_blocked(self):
        self.sign_in_as(AGENT)
        self.tenant.control("PATCH", f"/users/{AGENT}", {"mfa": True})
        self.assertTrue(self.told("sign_in_blocked", AGENT, address=AGENT)["code"].startswith("AADSTS"))

    def test_secret_expires_soon(self):
        for days, state in ((59, "degraded"), (29, "degraded"), (6, "degraded"), (1, "degraded"), (90, "ready")):
            with self.subTest(days=days):
                today = datetime.datetime.now(datetime.timezone.utc).date()
                self.incoming["secret_expires"] = (today + datetime.timedelta(days=days)).isoformat()
                result = self.run_host()
                self.assertEqual(0, result.code, result.err)
                if state == "ready":
                    self.assertNotIn("secret_expires_soon", {event["cause"] for event in result.of("health")})
                    continue
                event = self.told("secret_expires_soon", self.incoming["secret_expires"], "new", result=result,
                                  address=None)
                self.assertEqual(state, event["state"])

    def test_mailbox_full(self):
        self.tenant.control("PATCH", f"/mailboxes/{SUPPORT}/options", {"quota_exceeded": True,
                                                                       "quota_blocks_reading": True})
        self.assertEqual("ErrorQuotaExceeded", self.told("mailbox_full", SUPPORT)["code"])

    def test_service_fault(self):
        self.faults({"mailbox": SUPPORT}, body="garbage")
        self.told("service_fault", SUPPORT, "by itself")

    def test_state_disk(self):
        """The plugin's own state cannot be written: nothing is marked, for the receipt comes first."""
        self.assertEqual(0, self.run_host().code)
        state = self.data / "plugins" / "m365"
        for path in state.iterdir():
            path.unlink()
        (state / "m365.db").mkdir()
        self.tenant.put_mail(SUPPORT, mail(subject="Order 18"))
        self.told("state_disk", str(state))
        held = self.tenant.messages(SUPPORT, "inbox")
        self.assertIn(("Order 18", False), {(message["subject"], message["is_read"]) for message in held})

    # -- outgoing --
    def test_sender_forbidden(self):
        self.outgoing["mailbox_user"] = AGENT
        self.kept_back()
        result = self.run_host("--patience", "2")
        self.assertEqual("ErrorSendAsDenied", self.told("sender_forbidden", SUPPORT, "Send As", result=result,
                                                        address=None)["code"])

    def test_send_limit(self):
        self.tenant.control("PATCH", f"/mailboxes/{SUPPORT}/options", {"daily_limit": 0})
        self.kept_back()
        self.told("send_limit", SUPPORT, result=self.run_host("--patience", "2"), address=None)


if __name__ == "__main__":
    unittest.main()
