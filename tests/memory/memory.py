"""memory.py MEMORY-HOST PLUGIN.so: secrets, passwords and tokens are cleared after use.

A host that leaves none in memory itself (host.cpp) fetches and sends through the plugin. Its whole memory is searched:
while it works, where the plugin rightly holds them (else the search would prove nothing), and after the last destroy,
where nothing may be left. The environment names HOST_SIM and PLUGINS, as for the integration tests.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import harness  # noqa: E402  (found by the line above)
import peers  # noqa: E402

SUPPORT, AGENT = "support@contoso.example", "agent@contoso.example"
SKIPPED = ("[vvar]", "[vsyscall]", "[vdso]")
LARGEST = 1 << 28  # a larger mapping is a sanitizer's bookkeeping


def memory_of(pid):
    """Every readable piece of a process's memory, as (where, bytes)."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            fields = line.split()
            begin, end = (int(each, 16) for each in fields[0].split("-"))
            name = fields[5] if len(fields) > 5 else ""
            if not fields[1].startswith("r") or name in SKIPPED or end - begin > LARGEST:
                continue
            try:
                memory.seek(begin)
                yield f"{fields[0]} {name}", memory.read(end - begin)
            except OSError:
                continue  # a guard page, or gone meanwhile


def copies(pid, needle):
    """(how often, before the first) of a text, or of the end of a long one, which is a token's signature: what the
    allocator writes over the beginning of freed memory hides nothing."""
    middle = needle.encode()[-80:-20] if len(needle) > 100 else needle.encode()
    found, shown = 0, b""
    for where, content in memory_of(pid):
        at = content.find(middle)
        while at >= 0:
            found += 1
            shown = shown or where.encode() + b": " + content[max(0, at - 200):at].replace(b"\0", b".")
            at = content.find(middle, at + 1)
    return found, shown


def section(name, values):
    return f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in values.items())


def play(host, plugin, folder, tenant, settings, known):
    """One life of the host; `known` is name -> secret. Returns sentences about what was found."""
    file = folder / "settings"
    file.write_text(settings)
    state = folder / "state"
    process = subprocess.Popen([host, plugin, str(file), str(state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               text=True)
    problems, reached = [], []
    try:
        for stage in ("served", "stopped", "gone"):
            if process.stdout.readline().strip() != stage:
                return [f"the host did not come to {stage!r}"]
            reached.append(stage)
            issued = tenant.control("GET", "/issued")["tokens"]
            needles = {**known, **{f"token {number}": token for number, token in enumerate(issued)}}
            if len(needles) == len(known):
                return ["no token was given out, so nothing is proved"]
            seen = {name: copies(process.pid, value) for name, value in needles.items()}
            print(f"{stage}: " + ", ".join(f"{name} {count}" for name, (count, _) in seen.items()), flush=True)
            if stage == "served" and not any(count for name, (count, _) in seen.items() if name.startswith("token")):
                problems.append("no token was seen while it worked: the search finds nothing")
            if stage == "stopped":  # nothing is on its way: the token source has its one, and each request had its own
                problems += [f"{name} stands in memory {count} times: {shown!r}" for name, (count, shown) in seen.items()
                             if name.startswith("token") and count > 1]
            if stage == "gone":
                problems += [f"{name} is left {count} times: {shown!r}" for name, (count, shown) in seen.items() if count]
            process.stdin.write("\n")
            process.stdin.flush()
        if process.wait(60) != 0:
            problems.append(f"the host ended with {process.returncode}")
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
    return problems


def main():
    host, plugin = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="mailplugin-test-") as name:
        folder = pathlib.Path(name)
        tenant = harness.Tenant(folder / "tenant")
        proxy = peers.ConnectProxy("user", "a-password-of-the-proxy")
        try:
            for address in (SUPPORT, AGENT):
                tenant.put_mail(address, harness.mail(to=address))
            email = tenant.config()["system_services"]["email_settings"]
            incoming, outgoing = email["incoming_mail_servers"][0], email["external_outgoing_mail_server"]
            secret = (tenant.dir / "secret.txt").read_text().strip()
            through = {"proxy": f"http://user:a-password-of-the-proxy@127.0.0.1:{proxy.port}"}
            common = {key: incoming[key] for key in ("address", "graph_endpoint", "ca_file")}
            service = section("m365.incoming", {**common, **through, "authentication_type": "OAuth Service",
                                                "client_id": incoming["client_id"], "secret": secret}) + section(
                "m365.incoming mailbox", {"address": SUPPORT}) + section(
                "m365.outgoing", {**through, **{key: value for key, value in outgoing.items()
                                                if key not in ("enable", "type", "password") and value != ""},
                                  "password": secret})
            password = json.loads((tenant.dir / "credentials.json").read_text())["users"][AGENT]
            user = section("m365.incoming", {**common, "authentication_type": "OAuth User",
                                             "client_id": "5b1f0c52-9a55-4c52-8a19-74a2cf6f0d22"}) + section(
                "m365.incoming mailbox", {"address": AGENT, "email_password": password})
            known = {"secret": secret, "secret in a form": urllib.parse.quote(secret, safe=""),
                     "password of the proxy": "a-password-of-the-proxy"}
            problems = play(host, plugin, folder, tenant, service, known)
            if not proxy.asked:
                problems.append("nothing went through the proxy")
            problems += play(host, plugin, folder, tenant, user, {"password": password})
        except PermissionError as error:
            print(f"skipped: this machine does not let one process look into another's memory ({error})")
            return 77
        finally:
            proxy.stop()
            tenant.stop()
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
