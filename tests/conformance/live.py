"""live.py CONFORMANCE PLUGIN.so: runs the live part of the conformance suite against an embedded Microsoft 365.

The environment names HOST_SIM and PLUGINS, as for the integration tests.
"""
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))
import harness  # noqa: E402  (found by the line above)
import leaks  # noqa: E402

MAILS = 6


def section(name, values, folder):
    """One section of a settings file; secrets are read from the file that the configuration names."""
    lines = [f"[{name}]"]
    for key, value in values.items():
        if key in ("name", "type", "enable") or value == "":
            continue
        if isinstance(value, dict):
            value = (folder / value["file"]).read_text().strip()
        lines.append(f"{key}={value}")
    return "\n".join(lines) + "\n"


def judge(conformance, plugin):
    """The exit code, and what was said."""
    with tempfile.TemporaryDirectory(prefix="mailplugin-test-") as folder:
        tenant = harness.Tenant(pathlib.Path(folder) / "tenant")
        try:
            for number in range(MAILS):
                tenant.put_mail("support@contoso.example", harness.mail(subject=f"Order {number}"))
            email = tenant.config()["system_services"]["email_settings"]
            settings = pathlib.Path(folder) / "settings"
            settings.touch(mode=0o600)
            settings.write_text(
                section("m365.incoming", email["incoming_mail_servers"][0], tenant.dir)
                + section("m365.incoming mailbox", {"address": "support@contoso.example"}, tenant.dir)
                + section("m365.outgoing", email["external_outgoing_mail_server"], tenant.dir))
            done = subprocess.run([conformance, plugin, str(settings), "live"], timeout=280, check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            print(done.stdout)
            tenant.note_issued()
            found = leaks.leaks(tenant.secrets, [done.stdout], pathlib.Path(folder), {tenant.dir, settings})
            print("".join(sentence + "\n" for sentence in found))
            return done.returncode or int(bool(found)), done.stdout
        finally:
            tenant.stop()


def main():
    for _ in range(4):
        code, said = judge(*sys.argv[1:])
        # gcc 12's runtime, not the plugin: about one start in ten it asks for 500 TB of shadow for a library it loads.
        if "ThreadSanitizer failed to allocate" not in said:
            break
    return code


if __name__ == "__main__":
    sys.exit(main())
