"""The secrets of a test, and the places where one stands although it must not.

Secrets are known exactly: what the tenant's files hold, what a test configured, and every token and upload URL that the
embedded Microsoft 365 gave out.
"""
import base64
import json
import re
import urllib.parse

SHORTEST = 8  # bytes; a shorter "secret" of a test stands in harmless words as well
PIECE = 24  # bytes of a token: also a token that is cut is found
CONFIGURED = {"secret", "password", "email_password"}


class Secrets:
    def __init__(self):
        self._needles = {}  # bytes -> name

    def add(self, name, value):
        """A secret as it stands, as a form, JSON and Basic authorization write it."""
        if not isinstance(value, str) or len(value) < SHORTEST:
            return
        for form in (value, urllib.parse.quote(value, safe=""), json.dumps(value)[1:-1],
                     base64.b64encode(value.encode()).decode().rstrip("=")):
            self._needles.setdefault(form.encode(), name)

    def add_token(self, name, token):
        """Pieces of a token that say nothing but themselves: its beginning is the same for all."""
        parts = token.split(".")
        for part in parts[-1:] if len(parts) == 3 else [token]:
            for piece in (part[-2 * PIECE:-PIECE], part[-PIECE:]):
                if len(piece) == PIECE:
                    self._needles.setdefault(piece.encode(), name)

    def add_configuration(self, config):
        """Every secret that is written into a configuration; those in files are the tenant's."""
        if isinstance(config, dict):
            for key, value in config.items():
                if key in CONFIGURED:
                    self.add(key, value)
                elif key == "proxy" and isinstance(value, str):
                    self._add_proxy(value)
                else:
                    self.add_configuration(value)
        elif isinstance(config, list):
            for item in config:
                self.add_configuration(item)

    def _add_proxy(self, url):
        user, colon, password = urllib.parse.urlsplit(url).netloc.rpartition("@")[0].partition(":")
        if colon:
            self.add("password of the proxy", password)
            self.add("password of the proxy", urllib.parse.unquote(password))
            pair = f"{urllib.parse.unquote(user)}:{urllib.parse.unquote(password)}".encode()
            self._needles[base64.b64encode(pair)] = "authorization of the proxy"

    def add_tenant(self, folder):
        """What `host-sim m365` wrote for people to sign in with."""
        secret = folder / "secret.txt"
        if secret.exists():
            self.add("secret.txt", secret.read_text().strip())
        credentials = json.loads((folder / "credentials.json").read_text())
        for name, app in credentials["apps"].items():
            self.add(f"secret of {name}", app.get("secret"))
        for name, password in credentials["users"].items():
            self.add(f"password of {name}", password)

    def add_issued(self, issued):
        for token in issued["tokens"]:
            self.add_token("token", token)
        for token in issued["upload_tokens"]:
            self.add_token("upload URL", token)

    def __len__(self):
        return len(self._needles)

    def found_in(self, content):
        """(name, what stands before it) of the first secret in these bytes; None."""
        if not self._needles:
            return None
        hit = re.search(b"|".join(map(re.escape, self._needles)), content)
        return hit and (self._needles[hit.group()], content[max(0, hit.start() - 80):hit.start()])


def leaks(secrets, said, folder, keeps):
    """One sentence for each text of `said`, and each file below `folder`, that holds a secret.

    `keeps`: files and folders that rightly hold some.
    """
    found = []

    def search(place, content):
        hit = secrets.found_in(content)
        if hit:
            found.append(f"{hit[0]} stands in {place}: ...{hit[1]!r}")

    for number, text in enumerate(said):
        search(f"saying {number}", text.encode())
    for path in folder.rglob("*"):
        kept = any(path == each or each in path.parents for each in keeps)
        if not kept and path.is_file():
            search(path.relative_to(folder), path.read_bytes())
    return found
