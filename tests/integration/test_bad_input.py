"""Bad input, each with a sentence, an exit code, and nothing lost."""
import json
import os
import pathlib
import shutil
import unittest

from harness import HOST_SIM, PLUGINS, TenantTestCase, host_sim, mail

SUPPORT = "support@contoso.example"


class BadConfiguration(TenantTestCase):
    def refuse(self, *wanted, code=2):
        result = self.run_host()
        self.assertEqual(code, result.code, result.err)
        for text in wanted:
            self.assertIn(text, result.err)
        self.assertEqual([], result.messages)
        return result

    def test_not_json(self):
        file = self.file("broken.json", '{ "system_services": ')
        result = host_sim("run", "--plugins", PLUGINS, "--config", file, "--data", self.data, "--until-idle")
        self.assertEqual(2, result.code, result.err)
        self.assertIn("broken.json", result.err)

    def test_an_unknown_key_names_the_nearest(self):
        self.address()["adress"] = self.address().pop("address")
        self.refuse("queue_management.queues[0].numbers_addresses[0].adress", "\"address\"")

    def test_a_queue_that_names_a_server_that_does_not_exist(self):
        self.address()["email_server"] = "Contoso M356"
        self.refuse("queue_management.queues[0].numbers_addresses[0].email_server", self.incoming["name"])

    def test_two_queues_on_one_folder(self):
        self.queues[1]["numbers_addresses"][0]["address"] = self.address()["address"]
        self.refuse("queue_management.queues[1]", self.address()["address"])

    def test_an_unreadable_secret_file(self):
        self.incoming["secret"] = {"file": "no-such-file.txt"}
        self.refuse("incoming_mail_servers[0].secret", "no-such-file.txt")

    def test_wrong_values_of_the_form(self):
        for key, value in (("address", "http://login.microsoftonline.com/8d8a8ab6-5d6f-4b61-8b8b-0f6b3c5d1f10"),
                           ("address", "https://login.microsoftonline.com"),
                           ("address", "https://login.microsoftonline.com/not a tenant"),
                           ("client_id", "my-app"), ("authentication_type", "Basic"), ("secret", None),
                           ("graph_endpoint", "https://localhost:1/v1.0"), ("poll_seconds", "soon")):
            with self.subTest(key=key, value=value):
                present = self.incoming.get(key)
                self.incoming[key] = value
                self.refuse(f"incoming_mail_servers[0].{key}")
                self.incoming[key] = present
                if present is None:
                    del self.incoming[key]

    def test_wrong_outgoing_values(self):
        for key, value in (("port", "many"), ("server", "not a tenant"), ("authentication_type", "OAuth User"),
                           ("server_user", "agent"), ("password", None)):
            with self.subTest(key=key):
                present = self.outgoing.get(key)
                self.outgoing[key] = value
                self.refuse(f"external_outgoing_mail_server.{key}")
                self.outgoing[key] = present
                if present is None:
                    del self.outgoing[key]


class BadTenant(TenantTestCase):
    """The configuration reads well, but Entra or Exchange refuses."""

    def setUp(self):
        super().setUp()
        self.only_queue(SUPPORT)
        self.tenant.put_mail(SUPPORT, mail())

    def fails_with(self, cause, *wanted, code=4, options=("--patience", "2")):
        result = self.run_host(*options)
        self.assertEqual(code, result.code, result.out + result.err)
        told = [event for event in result.of("health") if event["cause"] == cause]
        self.assertTrue(told, result.out)
        for text in wanted:
            self.assertIn(text.lower(), told[-1]["text"].lower())
        self.assertEqual([], result.messages)
        (held,) = self.tenant.messages(SUPPORT, "inbox")
        self.assertFalse(held["is_read"])
        return told[-1]

    def test_a_wrong_secret(self):
        self.incoming["secret"] = {"file": str(self.file("secret.txt", "wrong~secret"))}
        told = self.fails_with("secret_refused", "secret")
        self.assertEqual("AADSTS7000215", told["code"])

    def test_an_expired_secret(self):
        self.tenant.control("POST", f"/apps/{self.incoming['client_id']}/secrets/expire", {})
        self.assertEqual("AADSTS7000222", self.fails_with("secret_expired")["code"])

    def test_missing_consent(self):
        self.tenant.control("PATCH", f"/apps/{self.incoming['client_id']}", {"roles": []})
        told = self.run_host("--patience", "2")
        self.assertEqual(4, told.code)
        causes = {event["cause"] for event in told.of("health")}
        self.assertTrue(causes & {"consent_missing", "mailbox_forbidden"}, causes)
        self.assertIn("Mail.ReadWrite", told.out)

    def test_a_client_that_entra_does_not_know(self):
        self.incoming["client_id"] = "00000000-1111-2222-3333-444444444444"
        self.fails_with("client_unknown", "client ID")

    def test_a_tenant_that_entra_does_not_know(self):
        origin, _ = self.incoming["address"].rsplit("/", 1)
        self.incoming["address"] = origin + "/00000000-1111-2222-3333-444444444444"
        self.fails_with("tenant_unknown", "tenant")

    def test_a_mailbox_outside_the_policy(self):
        self.only_queue("ceo@contoso.example")
        self.fails_with("mailbox_forbidden", "ceo@contoso.example")

    def test_an_unknown_mailbox(self):
        self.only_queue("suport@contoso.example")
        self.fails_with("mailbox_unknown", "suport@contoso.example")

    def test_a_certificate_that_is_not_trusted(self):
        del self.incoming["ca_file"]
        self.fails_with("tls", "certificate")

    def test_a_server_that_is_gone(self):
        self.incoming["address"] = "https://127.0.0.1:1/" + self.incoming["address"].rsplit("/", 1)[1]
        self.incoming["graph_endpoint"] = "https://127.0.0.1:1"
        self.fails_with("network", "127.0.0.1")

    def test_a_secret_repaired_while_running(self):
        good = (self.tenant.dir / self.incoming["secret"]["file"]).read_text()
        secret = self.file("secret.txt", "wrong")
        self.keeps_secrets.add(secret)
        self.incoming["secret"] = {"file": str(secret)}
        process, events = self.start_host()
        self.wait_for_event(events, lambda event: event.get("cause") == "secret_refused")
        secret.write_text(good)
        self.wait_for_event(events, lambda event: event["event"] == "message")
        process.terminate()
        self.assertEqual(0, process.wait(10))


class BadMachine(TenantTestCase):
    def test_a_data_folder_that_cannot_be_written(self):
        if os.geteuid() == 0:
            # root may write everywhere: a file in the way does what permissions do for others
            self.data = self.file("in-the-way", "") / "data"
        else:
            self.data = self.folder / "read-only"
            self.data.mkdir(mode=0o500)
        result = self.run_host()
        self.assertEqual(2, result.code, result.err)
        self.assertIn(str(self.data.parent if os.geteuid() == 0 else self.data), result.err)

    def plugins_with(self, change):
        """A copy of the plugin folder with a changed manifest."""
        folder = self.folder / "plugins"
        shutil.copytree(PLUGINS, folder)
        manifest = folder / "m365.mailplugin.json"
        content = json.loads(manifest.read_text())
        change(content)
        manifest.write_text(json.dumps(content))
        return folder

    def test_a_manifest_that_lies_about_its_hash(self):
        def lie(manifest):
            text = json.dumps(manifest)
            digest = next(value for value in _strings(manifest) if len(value) == 64)
            manifest.clear()
            manifest.update(json.loads(text.replace(digest, "0" * 64)))
        result = host_sim("plugins", "--plugins", self.plugins_with(lie))
        self.assertEqual(3, result.code)
        self.assertIn("m365.mailplugin.json", result.out + result.err)

    def test_a_plugin_of_another_abi_major(self):
        folder = self.plugins_with(lambda manifest: manifest["abi"].update(major=2))
        result = host_sim("plugins", "--plugins", folder)
        self.assertEqual(3, result.code)
        self.assertIn("made for version 2", result.out + result.err)
        run = host_sim("run", "--plugins", folder, "--config", self.write_config(), "--data", self.data, "--until-idle")
        self.assertEqual(3, run.code, run.err)
        self.assertIn("made for version 2", run.err)

    def test_two_plugins_that_are_one(self):
        folder = self.plugins_with(lambda manifest: None)
        shutil.copy(folder / "m365.mailplugin.json", folder / "zweites.mailplugin.json")
        result = host_sim("plugins", "--plugins", folder)
        self.assertEqual(1, result.code, result.err)
        self.assertIn("zweites.mailplugin.json", result.out + result.err)
        self.only_queue(SUPPORT)
        self.tenant.put_mail(SUPPORT, mail())
        run = host_sim("run", "--plugins", folder, "--config", self.write_config(), "--data", self.data, "--until-idle",
                       "--events", "-")
        self.assertEqual(0, run.code, run.err)
        self.assertEqual(1, len(run.messages))

    def test_no_plugin_at_all(self):
        empty = self.folder / "empty"
        empty.mkdir()
        result = host_sim("plugins", "--plugins", empty)
        self.assertEqual(3, result.code)
        self.assertIn(str(empty), result.out + result.err)

    def test_a_broken_plugin_beside_a_good_one(self):
        folder = self.folder / "plugins"
        shutil.copytree(PLUGINS, folder)
        (folder / "broken.mailplugin.json").write_text("{")
        result = host_sim("plugins", "--plugins", folder)
        self.assertEqual(1, result.code, result.err)
        self.assertIn("m365.incoming", result.out)
        self.assertIn("broken.mailplugin.json", result.out + result.err)

    def test_two_hosts_on_one_data_folder(self):
        process, events = self.start_host()
        self.wait_for_event(events, lambda event: event["event"] == "started")
        second = self.run_host()
        self.assertEqual(2, second.code, second.err)
        self.assertIn(str(self.data), second.err)
        process.terminate()
        self.assertEqual(0, process.wait(10))


def _strings(value):
    if isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
    elif isinstance(value, str):
        yield value


class Usage(unittest.TestCase):
    def test_wrong_usage(self):
        for arguments in (("rnu",), ("run",), ("run", "--confg", "x"), ("describe",), ("describe", "m356")):
            with self.subTest(arguments=arguments):
                result = host_sim(*arguments)
                self.assertEqual(2, result.code, result.err)
                self.assertTrue(result.err.strip())

    def test_help_and_version(self):
        for arguments in (("--help",), ("run", "--help"), ("--version",)):
            result = host_sim(*arguments)
            self.assertEqual(0, result.code, result.err)
            self.assertTrue(result.out.strip())
        self.assertTrue(pathlib.Path(HOST_SIM).exists())


if __name__ == "__main__":
    unittest.main()
