"""host-sim check: a configuration is proved against the service, and no mail is touched."""
import json
import unittest

from harness import PLUGINS, TenantTestCase, host_sim, mail

SUPPORT = "support@contoso.example"


class Check(TenantTestCase):
    def check(self, *extra):
        return host_sim("check", "--plugins", PLUGINS, "--config", self.write_config(), *extra)

    def findings(self, code):
        result = self.check("--json")
        self.assertEqual(code, result.code, result.out + result.err)
        return [json.loads(line) for line in result.out.splitlines()]

    def test_a_good_configuration(self):
        self.tenant.put_mail(SUPPORT, mail())
        before = self.tenant.mailbox(SUPPORT)
        found = self.findings(0)
        self.assertEqual({"ok"}, {each["result"] for each in found}, found)
        addresses = {entry["address"] for queue in self.queues for entry in queue["numbers_addresses"]}
        self.assertEqual(addresses, {each["address"] for each in found if each["check"] == "folder"})
        self.assertEqual(before, self.tenant.mailbox(SUPPORT))
        text = self.check()
        self.assertEqual(0, text.code)
        self.assertEqual(len(found), len(text.out.splitlines()))
        self.assertIn("Support <support@contoso.example>", text.out)

    def test_a_wrong_secret(self):
        self.incoming["secret"] = "8Q~not-the-secret"
        self.outgoing["password"] = "8Q~not-the-secret"
        found = self.findings(4)
        signing = [each for each in found if each["check"] == "sign in"]
        self.assertEqual({"secret_refused"}, {each["cause"] for each in signing})
        self.assertTrue(all(each["code"].startswith("AADSTS") for each in signing))
        self.assertNotIn("not-the-secret", json.dumps(found))

    def test_one_of_many_fails(self):
        self.address()["folder"] = "inbox/Nowhere"
        found = self.findings(1)
        failed = [each for each in found if each["result"] == "failed"]
        self.assertEqual(["folder_missing"], [each["cause"] for each in failed])
        self.assertIn("Nowhere", failed[0]["text"])

    def test_nobody_there(self):
        self.tenant.stop()
        result = self.check()
        self.assertEqual(4, result.code, result.out + result.err)
        self.assertIn("failed", result.out)

    def test_a_faulty_configuration_is_named_by_its_path(self):
        self.address()["after_fetch"] = "burn"
        result = self.check()
        self.assertEqual(2, result.code)
        self.assertIn("numbers_addresses[0].after_fetch", result.err)


if __name__ == "__main__":
    unittest.main()
