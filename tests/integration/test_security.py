"""Nobody in: certificates, other origins, proxies, and no secret anywhere it can be read."""
import json
import os
import re
import ssl
import unittest
import warnings

from harness import TenantTestCase, host_sim, mail
from peers import Ca, ConnectProxy, Peer, Relay

SUPPORT = "support@contoso.example"
CUSTOMER = "customer@fabrikam.example"


class Secure(TenantTestCase):
    def setUp(self):
        super().setUp()
        self.ca = Ca(self.folder / "test-ca")
        self.only_queue(SUPPORT)

    def peer(self, kind, *arguments, **options):
        made = kind(*arguments, **options)
        self.addCleanup(made.stop)
        return made

    def tenant_origin(self):
        return self.tenant.config()["system_services"]["email_settings"]["incoming_mail_servers"][0]["graph_endpoint"]

    def relay(self, bend=None, target=None):
        return self.peer(Relay, self.ca.certificate(), target or self.tenant_origin(), self.tenant.tls, bend)

    def go_to(self, origin):
        """Sign-in and Graph, of both directions, are at another origin, whose CA is trusted."""
        tenant_id = self.incoming["address"].rsplit("/", 1)[1]
        self.incoming.update(address=f"{origin}/{tenant_id}", graph_endpoint=origin, ca_file=str(self.ca.file))
        self.outgoing.update(login_address=origin, graph_endpoint=origin, ca_file=str(self.ca.file))

    def causes(self, result):
        return [event for event in result.of("health") if event["cause"] not in ("", "none")]


class Certificates(Secure):
    def refused(self, certificate, *wanted, ca_file=None, **options):
        peer = self.peer(Peer, certificate, **options)
        self.go_to(peer.origin)
        if ca_file is not None:
            self.incoming["ca_file"] = self.outgoing["ca_file"] = str(ca_file)
        result = self.run_host("--patience", "2")
        self.assertEqual(4, result.code, result.err)
        told = [event for event in self.causes(result) if event["cause"] == "tls"]
        self.assertTrue(told, result.out)
        for text in wanted:
            self.assertIn(text.lower(), told[-1]["text"].lower())
        sent = self.send("--from", SUPPORT, "--to", CUSTOMER, "--subject", "x", "--text", self.file("b.txt", "hello"),
                         "--patience", "2")
        self.assertEqual(4, sent.code, sent.out)
        for text in wanted:
            self.assertIn(text.lower(), sent.err.lower())
        self.assertEqual([], peer.requests, "something was sent to a server that is not proved")

    def test_an_unknown_ca(self):
        stranger = Ca(self.folder / "stranger", "Somebody Else")
        self.refused(stranger.certificate(), "issuer", "Somebody Else", "ca_file")

    def test_a_certificate_for_another_host(self):
        self.refused(self.ca.certificate("graph.fabrikam.example"), "another name", "graph.fabrikam.example")

    def test_an_expired_certificate(self):
        self.refused(self.ca.certificate(days=-1), "expired on")

    def test_a_certificate_that_vouches_for_itself(self):
        alone = Ca(self.folder / "alone", "localhost")
        self.refused((alone.file, alone.key), "issuer", "localhost")

    def test_an_old_tls(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            old = (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1)
            self.refused(self.ca.certificate(), "TLS", versions=old)


class OtherOrigins(Secure):
    """A relay, trusted and in the place of Graph, sends the plugin to a server of somebody else."""

    def setUp(self):
        super().setUp()
        self.only_queue(SUPPORT, after_fetch="leave")
        self.incoming["poll_seconds"] = 1
        self.thief = self.peer(Peer, self.ca.certificate())
        self.tenant.flood(SUPPORT, 60)  # more than one page

    def holds_and_recovers(self, bend):
        """While bent nothing goes to the other origin; straight again, every mail comes."""
        relay = self.relay(bend)
        self.go_to(relay.origin)
        bent = self.run_host("--patience", "3")
        self.assertEqual([], self.thief.requests)
        self.assertNotEqual(0, bent.code, bent.out)
        self.assertTrue(self.causes(bent), bent.out)
        relay.bend = None
        straight = self.run_host("--patience", "60")
        self.assertEqual(0, straight.code, straight.err)
        listed = host_sim("inbox", "--data", self.data, "--json")
        self.assertEqual(60, len(listed.out.splitlines()))
        self.assertEqual([], self.thief.requests)

    def test_a_next_link(self):
        def bend(method, path, status, headers, body):
            return status, headers, re.sub(rb'("@odata.(?:nextLink|deltaLink)"\s*:\s*")https://[^/]+',
                                           rb"\1" + self.thief.origin.encode(), body)
        self.holds_and_recovers(bend)

    def test_a_delta_link(self):
        def bend(method, path, status, headers, body):
            return status, headers, re.sub(rb'("@odata.deltaLink"\s*:\s*")https://[^/]+',
                                           rb"\1" + self.thief.origin.encode(), body)
        relay = self.relay(bend)
        self.go_to(relay.origin)
        bent = self.run_host("--patience", "3")
        self.assertNotEqual(0, bent.code, bent.out)
        self.assertTrue(self.causes(bent), bent.out)
        relay.bend = None
        self.tenant.put_mail(SUPPORT, mail(subject="afterwards"))
        self.assertEqual(0, self.run_host("--patience", "60").code)
        listed = [json.loads(line) for line in host_sim("inbox", "--data", self.data, "--json").out.splitlines()]
        self.assertEqual(61, len(listed))
        self.assertEqual(61, len({event["message_id"] for event in listed}))
        self.assertEqual([], self.thief.requests)

    def test_a_redirect_of_each_step_of_sending(self):
        """Drafts, attachments, sending, and the pieces of an upload: what is sent elsewhere is not followed there."""
        large = self.file("large.bin", os.urandom(4_000_000))
        steps = {"draft": (lambda method, path: method == "POST" and path.endswith("/messages")),
                 "session": (lambda method, path: path.endswith("/createUploadSession")),
                 "send": (lambda method, path: path.endswith("/send"))}
        for name, hits in steps.items():
            def bend(method, path, status, headers, body, hits=hits):
                if not hits(method, path):
                    return status, headers, body
                return 308, {"Location": self.thief.origin + path}, b""
            with self.subTest(step=name):
                relay = self.relay(bend)
                self.go_to(relay.origin)
                with_file = ("--attach", large) if name == "session" else ()
                sent = self.send("--from", SUPPORT, "--to", CUSTOMER, "--subject", name, "--text",
                                 self.file("body.txt", "see the file"), *with_file, "--key", name, "--patience", "8")
                self.assertTrue([path for method, path, _ in relay.requests if hits(method, path)], sent.err)
                self.assertNotIn(self.thief.origin, sent.out + sent.err)
                self.assertEqual([], self.thief.requests)

    def test_a_redirect_of_graph(self):
        for status in (302, 307):
            def bend(method, path, _, headers, body, status=status):
                if "/v1.0/" not in path:
                    return _, headers, body
                return status, {"Location": self.thief.origin + path}, b""
            with self.subTest(status=status):
                self.data = self.folder / f"data-{status}"
                self.holds_and_recovers(bend)

    def test_a_redirect_of_the_sign_in(self):
        def bend(method, path, status, headers, body):
            if "/oauth2/" not in path:
                return status, headers, body
            return 307, {"Location": self.thief.origin + path}, b""
        self.holds_and_recovers(bend)

    def test_links_of_a_former_endpoint_are_not_followed(self):
        """The endpoint was changed between two starts: the folder is read anew, and nothing comes twice."""
        self.assertEqual(60, len(self.run_host().messages))
        self.go_to(self.relay().origin)
        self.tenant.put_mail(SUPPORT, mail(subject="after the change"))
        result = self.run_host()
        self.assertEqual(0, result.code, result.err)
        self.assertEqual(["after the change"], [event["subject"] for event in result.messages])

    def test_an_upload_url_gets_no_token(self):
        upload_origin = json.loads((self.tenant.dir / "control.json").read_text())["upload_origin"]
        uploads = self.relay(target=upload_origin)
        relay = self.relay(lambda method, path, status, headers, body: (
            status, headers, body.replace(upload_origin.encode(), uploads.origin.encode())))
        self.go_to(relay.origin)
        sent = self.send("--from", SUPPORT, "--to", CUSTOMER, "--subject", "large", "--text",
                         self.file("body.txt", "see the file"), "--attach", self.file("large.bin", os.urandom(4_000_000)))
        self.assertEqual(0, sent.code, sent.err)
        self.assertEqual(1, len(self.tenant.messages(CUSTOMER, "inbox")))
        self.assertIn("PUT", [method for method, _, _ in uploads.requests])
        for method, _, headers in uploads.requests:
            self.assertNotIn("authorization", [name.lower() for name in headers], method)
        asked = [headers for _, path, headers in relay.requests if path.startswith("/v1.0/")]
        self.assertTrue(all("Authorization" in headers for headers in asked), "what is asked of Graph carries a token")


class Proxy(Secure):
    PASSWORD = "p@ss:w/rd"

    def setUp(self):
        super().setUp()
        self.proxy = self.peer(ConnectProxy, "user", self.PASSWORD)
        self.use("p%40ss%3Aw%2Frd")
        self.tenant.put_mail(SUPPORT, mail())

    def use(self, password):
        self.incoming["proxy"] = self.outgoing["proxy"] = f"http://user:{password}@127.0.0.1:{self.proxy.port}"

    def test_fetching_and_sending_go_through_connect(self):
        received = self.run_host()
        self.assertEqual(0, received.code, received.err)
        self.assertEqual(1, len(received.messages))
        fetched = len(self.proxy.asked)
        self.assertGreater(fetched, 0)
        sent = self.send("--from", SUPPORT, "--to", CUSTOMER, "--subject", "x", "--text", self.file("body.txt", "hello"))
        self.assertEqual(0, sent.code, sent.err)
        self.assertGreater(len(self.proxy.asked), fetched)
        self.assertEqual({(self.tenant_origin().removeprefix("https://"), True)}, set(self.proxy.asked))
        self.assertEqual([], self.proxy.other_requests)

    def test_a_wrong_password_of_the_proxy_is_told_without_it(self):
        self.use("wr0ng-one")
        result = self.run_host("--patience", "2")
        self.refused_by_the_proxy(result, "password")
        self.assertNotIn("wr0ng-one", result.out + result.err)
        self.assertNotIn("Basic ", result.out + result.err)

    def refused_by_the_proxy(self, result, *words):
        self.assertEqual(4, result.code, result.err)
        causes = self.causes(result)
        self.assertEqual({"proxy"}, {event["cause"] for event in causes}, result.out)
        for word in ("proxy", f"127.0.0.1:{self.proxy.port}", *words):
            self.assertIn(word, causes[-1]["text"])
        sent = self.send("--from", SUPPORT, "--to", CUSTOMER, "--subject", "x", "--text", self.file("body.txt", "hello"),
                         "--patience", "2")
        self.assertEqual(4, sent.code, sent.out)
        self.assertIn("proxy", sent.err)

    def test_a_proxy_without_a_password(self):
        self.proxy = self.peer(ConnectProxy)
        self.incoming["proxy"] = self.outgoing["proxy"] = f"http://127.0.0.1:{self.proxy.port}"
        received = self.run_host()
        self.assertEqual(0, received.code, received.err)
        self.assertEqual(1, len(received.messages))
        self.assertTrue(self.proxy.asked)

    def test_a_proxy_that_wants_a_password_and_gets_none(self):
        self.incoming["proxy"] = self.outgoing["proxy"] = f"http://127.0.0.1:{self.proxy.port}"
        self.refused_by_the_proxy(self.run_host("--patience", "2"), "407")

    def test_a_proxy_that_forbids_the_host(self):
        self.proxy = self.peer(ConnectProxy, refuse="403 Forbidden")
        self.incoming["proxy"] = self.outgoing["proxy"] = f"http://127.0.0.1:{self.proxy.port}"
        self.refused_by_the_proxy(self.run_host("--patience", "2"), "403", "must allow")

    def test_nothing_goes_around_a_proxy_that_is_gone(self):
        self.proxy.stop()
        self.tenant.control("POST", "/requests/reset", {})
        self.refused_by_the_proxy(self.run_host("--patience", "2"))
        self.assertEqual(0, self.tenant.control("GET", "/requests")["total"])


class Secrets(Secure):
    """One run through everything that handles a secret, in fair weather and foul; then every byte it left is searched."""

    def setUp(self):
        super().setUp()
        self.said = []

    def keep(self, result):
        self.said.append(result.out + result.err)
        return result

    def foul(self, *rules):
        self.tenant.control("DELETE", "/faults")
        self.tenant.control("POST", "/faults", [{"match": match, "effect": effect} for match, effect in rules])

    def everything(self):
        """Fetch, reply with an upload session, and each of them failing in the ways that are told at length."""
        debug = ("--log-level", "debug")
        body = self.file("body.txt", "see the file")
        large = self.file("large.bin", os.urandom(4_500_000))
        self.tenant.flood(SUPPORT, 20)
        self.foul(({"operation": "messages.delta", "count": 1}, {"status": 401}),
                  ({"operation": "messages.delta", "count": 1}, {"status": 302, "location": "https://localhost:1/x"}),
                  ({"operation": "messages.delta", "count": 1}, {"body": "garbage"}))
        self.assertEqual(0, self.keep(self.run_host(*debug, "--patience", "60")).code)
        self.foul(({"operation": "upload.put", "nth": 1}, {"status": 503, "retry_after": "1"}),
                  ({"operation": "upload.put", "nth": 2}, {"cut": "after"}),
                  ({"operation": "attachments.session", "nth": 1}, {"status": 500}),
                  ({"operation": "messages.send", "nth": 1}, {"status": 504, "work": "done"}))
        sent = self.keep(self.send("--from", SUPPORT, "--to", CUSTOMER, "--subject", "large", "--text", body, "--attach",
                                   large, "--json", "--patience", "60", *debug, timeout=300))
        self.assertEqual(0, sent.code, sent.err)
        # An upload that does not succeed leaves its record behind.
        self.foul(({"operation": "upload.put"}, {"status": 500}))
        self.keep(self.send("--from", SUPPORT, "--to", CUSTOMER, "--subject", "never", "--text", body, "--attach", large,
                            "--patience", "3", *debug))
        self.foul()
        good = self.incoming["secret"]
        self.incoming["secret"] = "8Q~wrong-secret-of-the-test"
        self.keep(self.run_host(*debug, "--patience", "2"))
        self.incoming["secret"] = good
        agent = "agent@contoso.example"
        self.only_queue(agent, email_password="wrong-password-of-the-test")
        self.incoming["authentication_type"] = "OAuth User"
        secret = self.incoming.pop("secret")
        self.incoming["client_id"], service = "5b1f0c52-9a55-4c52-8a19-74a2cf6f0d22", self.incoming["client_id"]
        self.keep(self.run_host(*debug, "--patience", "2"))
        users = json.loads((self.tenant.dir / "credentials.json").read_text())["users"]
        self.address()["email_password"] = users[agent]
        self.tenant.put_mail(agent, mail(to=agent))
        self.assertEqual(0, self.keep(self.run_host(*debug)).code, self.said[-1])
        self.incoming.update(authentication_type="OAuth Service", client_id=service, secret=secret)

    def needles(self):
        """What must not be found, by name."""
        credentials = json.loads((self.tenant.dir / "credentials.json").read_text())
        values = {"secret.txt": (self.tenant.dir / "secret.txt").read_text().strip(),
                  "wrong secret": "8Q~wrong-secret-of-the-test", "wrong password": "wrong-password-of-the-test"}
        values.update((f"secret of {name}", app["secret"]) for name, app in credentials["apps"].items() if "secret" in app)
        values.update((f"password of {name}", password) for name, password in credentials["users"].items())
        found = {name: re.compile(re.escape(value.encode())) for name, value in values.items()}
        found["access token"] = re.compile(rb"eyJ[A-Za-z0-9_-]{16,}")
        found["authorization header"] = re.compile(rb"Bearer [A-Za-z0-9._-]{16,}")
        found["upload URL"] = re.compile(rb"authtoken", re.IGNORECASE)
        return found

    def test_no_secret_token_or_upload_url_is_left_anywhere(self):
        self.everything()
        operations = self.tenant.control("GET", "/requests")["operations"]
        for used in ("token", "upload.put", "messages.send", "attachments.session"):
            self.assertGreater(operations.get(used, 0), 0, f"{used} was never in use, so nothing is proved")
        places = {f"output of run {number}": text.encode() for number, text in enumerate(self.said)}
        for path in self.data.rglob("*"):
            if path.is_file():
                places[str(path.relative_to(self.folder))] = path.read_bytes()
        for path in self.folder.glob("events-*.jsonl"):
            places[path.name] = path.read_bytes()
        self.assertTrue([name for name in places if name.endswith("m365.db")])
        self.assertIn(b" debug ", b"".join(places.values()))
        for needle, pattern in self.needles().items():
            for place, content in places.items():
                hit = pattern.search(content)
                self.assertIsNone(hit, f"{needle} stands in {place}" + (
                    f": ...{content[max(0, hit.start() - 80):hit.start()]!r}" if hit else ""))

    def test_mail_text_is_in_no_log(self):
        word = "Zwiebelkuchen"
        self.tenant.put_mail(SUPPORT, mail(body=f"{word} in the body", subject=f"{word} in the subject"))
        self.foul(({"operation": "messages.delta", "count": 1}, {"body": "half"}))
        process, events = self.start_host("--log-level", "debug")
        self.wait_for_event(events, lambda event: event["event"] == "message", seconds=90)
        process.terminate()
        _, log = process.communicate()
        self.assertIn("debug", log)
        self.assertNotIn(word, log)

    def test_what_lies_in_the_data_folder_is_private(self):
        before = os.umask(0)  # the most generous one
        try:
            self.tenant.put_mail(SUPPORT, mail())
            self.assertEqual(0, self.run_host().code)
            process, events = self.start_host()  # while it runs, with SQLite's companions
            self.wait_for_event(events, lambda event: event["event"] == "started")
        finally:
            os.umask(before)
        everything = [self.data, *self.data.rglob("*")]
        self.assertGreater(len(everything), 5)
        for path in everything:
            self.assertEqual(0, path.stat().st_mode & 0o077, f"{path}: {oct(path.stat().st_mode)}")
        process.terminate()
        self.assertEqual(0, process.wait(30))


if __name__ == "__main__":
    unittest.main()
