"""Another simulation of Microsoft 365, written from the reference sheets alone: Entra's token endpoint, Graph mail and
an upload host. Its `readings` choose between what the sheets leave open ("unverified", "either", "seen", "may").

One tenant, one app, a few mailboxes, all in memory under one lock. It shares no code with host-sim and is no teacher
of right answers: it takes what the sheets allow and answers as one of their readings does. Numbers in comments are
sections of graph-mail.md.
"""
import base64
import http.server
import json
import random
import re
import ssl
import threading
import time
import urllib.parse
import uuid

WELL_KNOWN = ["msgfolderroot", "inbox", "drafts", "sentitems", "deleteditems", "outbox"]
PROPERTY = re.compile(r"ep/id eq '((?:[^']|'')*)' and ep/value eq '((?:[^']|'')*)'", re.I)
CAST = "microsoft.graph.fileAttachment/contentId"

# The plain readings; a test changes some of them.
READINGS = {
    "scope": "own",              # "public": tokens are for https://graph.microsoft.com
    "expires_in": "number",      # "text"
    "immutable_ids": True,       # Prefer: IdType is honoured (7)
    "sent_id_changes": False,    # also the immutable id of a draft, when it is sent (7)
    "page_size": None,           # what is asked for is ignored in favour of this
    "empty_pages": False,        # pages without rows, with a nextLink (6)
    "links": "plain",            # "odd": host in capitals, $ encoded, after the rows
    "delta": 200,                # else the status with which delta is refused (1)
    "delta_rows": "full",        # "ids": nothing but the id; "no_headers": without internetMessageHeaders
    "repeat_rows": False,        # a row occurs twice in a series (6)
    "batch": 200,                # else the status with which $batch is refused
    "batch_order": "given",      # "shuffled" (14)
    "patch": 200,                # or 204
    "move": 201,                 # or 200 (20)
    "create_reply": 201,         # or 200, or the status with which it is refused
    "booleans": "plain",         # "text": "true" (3)
    "nulls": "plain",            # "absent": members that are null are left out (3)
    "errors": "json",            # "nested" (16), "empty", "html"
    "property_filter": "works",  # "refused": 400; "ignored": everything is found
    "property_expand": True,
    "cast": True,                # contentId can be selected by a cast (9)
    "upload": "other capital",   # on another origin, NextExpectedRanges; "same small": on Graph's, "a-b" (11)
    "http": "plain",             # "chunked"; "close"; "1.0"; "lower": names of headers; "bom": in front of JSON
}


class Refusal(Exception):
    """Raised with a status and a code."""


class Mailbox:
    def __init__(self, address):
        self.address, self.id, self.counter = address, str(uuid.uuid4()), 0
        self.folders, self.messages, self.log = {}, {}, []  # log: (folder, number, place, what) in order
        for name in WELL_KNOWN:
            self.add_folder(name.capitalize(), name != "msgfolderroot" and self.named("msgfolderroot") or None, name)

    def next(self):
        self.counter += 1
        return self.counter

    def add_folder(self, name, parent, well_known=""):
        key = f"AQMk{self.id[:8]}/+{self.next()}=="
        self.folders[key] = {"name": name, "parent": parent, "well_known": well_known}
        return key

    def named(self, name):
        for key, folder in self.folders.items():
            if name == key or name.lower() == folder["well_known"]:
                return key
        raise Refusal(404, "ErrorItemNotFound")

    def put(self, folder, message):
        message.update(number=self.next(), place=0, folder=folder, sent_as=0)
        message.setdefault("receivedDateTime", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))
        self.messages[message["number"]] = message
        self.note(message, "new")
        return message

    def note(self, message, what):
        self.log.append((message["folder"], message["number"], message["place"], what))

    def move(self, message, folder):
        self.note(message, "gone")
        message.update(folder=folder, place=message["place"] + 1)
        self.note(message, "new")


def recipient(address):
    return {"emailAddress": {"name": address.split("@")[0], "address": address}}


def new_message(subject, content, headers=(), html=False, attachments=(), sender="customer@fabrikam.example", **more):
    """A mail as Graph holds it; attachments: (name, type, bytes, content id or None)."""
    number = uuid.uuid4().hex
    return {"subject": subject, "body": {"contentType": "html" if html else "text", "content": content},
            "from": recipient(sender), "sender": recipient(sender), "toRecipients": [], "ccRecipients": [],
            "bccRecipients": [], "replyTo": [], "importance": "normal", "isRead": False, "isDraft": False,
            "isReadReceiptRequested": False, "isDeliveryReceiptRequested": None,
            "internetMessageId": f"<{number}@fabrikam.example>", "conversationId": "AAQk" + number,
            "internetMessageHeaders": [{"name": n, "value": v} for n, v in headers], "properties": {},
            "attachments": [{"name": n, "contentType": t, "bytes": b, "contentId": c, "isInline": c is not None}
                            for n, t, b, c in attachments], **more}


class OtherService:
    """`certificate` is (certificate, key) for localhost. `sent` is what left, in order."""

    def __init__(self, certificate, addresses, **readings):
        assert not set(readings) - set(READINGS)
        self.readings = {**READINGS, **readings}
        self.mailboxes = {address: Mailbox(address) for address in addresses}
        self.sent, self.requests, self.sessions, self.lock = [], [], {}, threading.RLock()
        self.secret, self.token = "s~e+c/ret", uuid.uuid4().hex
        self.tenant, self.client = str(uuid.uuid4()), str(uuid.uuid4())
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*map(str, certificate))
        self._servers = [self._listen(tls), self._listen(tls)]
        self.origin, self.upload_origin = (f"https://localhost:{s.server_address[1]}" for s in self._servers)

    def _listen(self, tls):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        server.daemon_threads = True
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return server

    def stop(self):
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def arrive(self, address, message, folder="inbox"):
        with self.lock:
            box = self.mailboxes[address]
            return box.put(box.named(folder), message)

    def in_folder(self, address, name):
        """The messages of a folder, by well-known or display name."""
        with self.lock:
            box = self.mailboxes[address]
            keys = [k for k, f in box.folders.items() if name in (f["well_known"], f["name"])]
            return [m for m in box.messages.values() if m["folder"] in keys]

    def _handler(self):
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def log_message(self, *_):
                pass

            def _any(self):
                form = service.readings["http"]
                length = self.headers.get("Content-Length")
                if length is None and self.command in ("POST", "PUT", "PATCH"):
                    return self.send_error(411)  # required also when it is 0 (10.2)
                body = self.rfile.read(int(length or 0))
                status, headers, content = service.answer(self.command, self.path, self.headers, body)
                if form == "bom" and "json" in headers.get("Content-Type", ""):
                    content = b"\xef\xbb\xbf" + content
                chunked = form == "chunked" and status not in (202, 204)
                if chunked:
                    headers["Transfer-Encoding"] = "chunked"
                    pieces = [p for p in (content[:7], content[7:]) if p]
                    content = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"
                elif status != 204:
                    headers["Content-Length"] = len(content)
                if form in ("close", "1.0"):
                    headers["Connection"] = "close"
                    self.close_connection = True
                head = [f"HTTP/1.{0 if form == '1.0' else 1} {status} Whatever"]
                head += [f"{n.lower() if form == 'lower' else n}: {v}" for n, v in headers.items()]
                self.wfile.write("\r\n".join([*head, "", ""]).encode() + (content if status != 204 else b""))
                return None

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any

        return Handler

    def answer(self, method, target, headers, body):
        """(status, headers, bytes)"""
        url = urllib.parse.urlsplit(target)
        with self.lock:
            self.requests.append((method, target))
            try:
                if url.path.endswith("/oauth2/v2.0/token"):
                    return self.sign_in(url.path, body)
                if url.path.startswith("/upload/"):
                    return self.upload(method, url.path, headers, body)
                if headers.get("Authorization") != f"Bearer {self.token}":
                    raise Refusal(401, "InvalidAuthenticationToken")
                if url.path == "/v1.0/$batch":
                    return self.batch(body)
                return self.graph(method, target, headers, body)
            except Refusal as refusal:
                return self.refuse(*refusal.args)

    def refuse(self, status, code):
        form = self.readings["errors"]
        if form in ("empty", "html"):
            return status, {"Content-Type": "text/html"}, b"<html>no</html>" if form == "html" else b""
        error = {"code": code, "message": "It\nis so.", "innerError": {"request-id": "r-1"}}
        if form == "nested":
            error = {"code": "generalException", "message": "", "innererror": {"code": code}}
        return status, {"Content-Type": "application/json"}, json.dumps({"error": error}).encode()

    def json(self, status, value):
        return status, {"Content-Type": "application/json", "request-id": "r-2"}, json.dumps(self.dress(value)).encode()

    def dress(self, value):
        if isinstance(value, dict):
            return {k: self.dress(v) for k, v in value.items() if v is not None or self.readings["nulls"] != "absent"}
        if isinstance(value, list):
            return [self.dress(v) for v in value]
        return str(value).lower() if isinstance(value, bool) and self.readings["booleans"] == "text" else value

    def sign_in(self, path, body):
        form = dict(urllib.parse.parse_qsl(body.decode()))
        scope = self.origin if self.readings["scope"] == "own" else "https://graph.microsoft.com"
        error = None
        if form.get("scope") != scope + "/.default":
            error = {"error": "invalid_resource", "error_description": "AADSTS500011: no.\r\nTrace ID: t"}
        elif (form["client_id"], form["client_secret"], path.split("/")[1]) != (self.client, self.secret, self.tenant):
            error = {"error": "invalid_client", "error_description": "AADSTS7000215: no.\r\nTrace ID: t"}
        if error:
            return 400, {"Content-Type": "application/json"}, json.dumps(error).encode()
        life = "3599" if self.readings["expires_in"] == "text" else 3599
        return self.json(200, {"token_type": "Bearer", "expires_in": life, "access_token": self.token})

    def batch(self, body):
        if self.readings["batch"] != 200:
            raise Refusal(self.readings["batch"], "UnknownError")
        answers = []
        for request in json.loads(body)["requests"]:
            content = request.get("body")
            assert content is None or "Content-Type" in request["headers"]
            try:
                raw = b"" if content is None else json.dumps(content).encode()
                status, headers, text = self.graph(request["method"], "/v1.0" + request["url"], request["headers"], raw)
            except Refusal as refusal:
                status, headers, text = self.refuse(*refusal.args)
            answers.append({"status": status, "headers": headers, "id": request["id"]})
            if text:
                answers[-1]["body"] = json.loads(text) if text[:1] == b"{" else base64.b64encode(text).decode()
        if self.readings["batch_order"] == "shuffled":
            random.shuffle(answers)
        return 200, {"Content-Type": "application/json"}, json.dumps({"responses": answers}).encode()

    def graph(self, method, target, headers, body):
        url = urllib.parse.urlsplit(target)
        path = []
        for part in map(urllib.parse.unquote, url.path.split("/")[2:]):
            keyed = re.fullmatch(r"(\w+)\('(.*)'\)", part)
            path += [keyed[1], keyed[2].replace("''", "'")] if keyed else [part]
        if path[0] != "users":
            raise Refusal(400, "BadRequest")
        box = next((b for b in self.mailboxes.values() if path[1] in (b.address, b.id)), None)
        if box is None:
            raise Refusal(404, "ErrorInvalidUser")
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        return Call(self, box, method, path[2:], query, headers.get("Prefer", ""), body).run()

    def upload(self, method, path, headers, body):
        session = self.sessions.get(path.split("/")[2])
        if session is None or method != "PUT" or headers.get("Authorization"):
            raise Refusal(404 if session is None else 401, "ErrorItemNotFound")
        first, last, total = map(int, re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", headers["Content-Range"]).groups())
        done = len(session["item"]["bytes"])
        if (first, last - first + 1, total) != (done, len(body), session["size"]) or len(body) > 4 << 20:
            raise Refusal(416, "ErrorInvalidRange")
        session["item"]["bytes"] += body
        if last + 1 < total:
            return self.json(200, self.ranges(last + 1, total))
        session["message"]["attachments"].append(session["item"])
        return 201, {"Location": self.origin + "/Attachments('x')"}, b""

    def ranges(self, offset, total):
        if self.readings["upload"] == "same small":
            return {"nextExpectedRanges": [f"{offset}-{total - 1}"], "expirationDateTime": "2099-01-01T00:00:00Z"}
        return {"NextExpectedRanges": [str(offset)], "ExpirationDateTime": "2099-01-01T00:00:00.1234567Z"}


class Call:
    """One Graph request of one mailbox."""

    def __init__(self, service, box, method, path, query, prefer, body):
        self.service, self.box, self.method, self.path = service, box, method, path
        self.query, self.prefer = query, prefer
        self.given = json.loads(body) if body else {}
        self.readings = service.readings
        self.immutable = "immutableid" in prefer.lower() and self.readings["immutable_ids"]

    def run(self):
        kind, *rest = self.path
        if kind == "mailFolders":
            folder, what = self.box.named(rest[0]), rest[1:]
            if not what:
                return self.service.json(200, self.folder_row(folder))
            handlers = {"childFolders": self.children, "messages": self.list, "messages/delta": self.delta}
            return handlers["/".join(what)](folder)
        if kind != "messages":
            raise Refusal(400, "BadRequest")
        if not rest:
            return self.list(None) if self.method == "GET" else self.create(self.given, 201)
        return self.message(self.find(rest[0]), rest[1:])

    def id_of(self, message, place=None):
        place = message["place"] if place is None else place
        kind, mark = ("AAkALg", "") if self.immutable else ("AAMkAD", f".{place}")
        return f"{kind}{self.box.id[:8]}/+{message['number']}.{message['sent_as']}{mark}-_=="

    def find(self, text):
        form = re.fullmatch(r"(AAkALg|AAMkAD)\w{8}/\+(\d+)\.(\d+)(?:\.(\d+))?-_==", text)
        if not form:
            raise Refusal(400, "ErrorInvalidIdMalformed")
        message = self.box.messages.get(int(form[2]))
        if not message or int(form[3]) != message["sent_as"] or form[4] not in (None, str(message["place"])):
            raise Refusal(404, "ErrorItemNotFound")
        return message

    def folder_row(self, key):
        folder = self.box.folders[key]
        inside = [m for m in self.box.messages.values() if m["folder"] == key]
        return {"displayName": folder["name"], "id": key, "parentFolderId": folder["parent"],
                "totalItemCount": len(inside), "unreadItemCount": sum(not m["isRead"] for m in inside)}

    def children(self, parent):
        rows = {k: f["name"].lower() for k, f in self.box.folders.items() if f["parent"] == parent}
        if self.method == "POST":
            if self.given["displayName"].lower() in rows.values():
                raise Refusal(409, "ErrorFolderExists")
            return self.service.json(201, self.folder_row(self.box.add_folder(self.given["displayName"], parent)))
        if "$filter" in self.query:
            raise Refusal(400, "ErrorInvalidUrlQuery")  # not every folder tree can be filtered
        return self.page([self.folder_row(k) for k in rows])

    def page(self, rows):
        size, skip = self.readings["page_size"] or int(self.query.get("$top", 10)), int(self.query.get("$skip", 0))
        more = skip + size < len(rows)
        link = {"@odata.nextLink": self.link({**self.query, "$skip": str(skip + size)})} if more else {}
        return self.service.json(200, {"value": rows[skip:skip + size], **link})

    def link(self, query):
        odd = self.readings["links"] == "odd"
        origin = self.service.origin.replace("https://localhost", "HTTPS://LocalHost") if odd else self.service.origin
        where = "/".join(urllib.parse.quote(p, safe="") for p in self.path)
        text = "&".join(urllib.parse.quote(k, safe="" if odd else "$") + "=" + urllib.parse.quote(v, safe="")
                        for k, v in query.items())
        return f"{origin}/v1.0/users('{self.box.id}')/{where}?{text}"

    def list(self, folder):
        found = [m for m in self.box.messages.values() if folder in (None, m["folder"])]
        for term in filter(None, re.split(r" and (?![^()]*\))", self.query.get("$filter", ""))):
            if prop := PROPERTY.search(term):
                if self.readings["property_filter"] == "refused":
                    raise Refusal(400, "ErrorInvalidUrlQuery")
                key, value = (x.replace("''", "'") for x in prop.groups())
                if self.readings["property_filter"] == "works":
                    found = [m for m in found if m["properties"].get(key, "\0").lower() == value.lower()]
                continue
            name, operator, value = term.split(" ", 2)
            value = {"true": True, "false": False}.get(value, value.strip("'").replace("''", "'"))
            found = [m for m in found if (m[name] == value if operator == "eq" else m[name] >= value)]
        newest_first = "desc" in self.query.get("$orderby", "desc")
        found.sort(key=lambda m: (m["receivedDateTime"], m["number"]), reverse=newest_first)
        return self.page([self.row(m, self.query.get("$select")) for m in found])

    def row(self, message, select=None):
        whole = {**message, "id": self.id_of(message), "parentFolderId": message["folder"], "sentDateTime": None,
                 "hasAttachments": any(not a["isInline"] for a in message["attachments"])}
        if not message["internetMessageHeaders"]:
            del whole["internetMessageHeaders"]  # left out, not empty
        hidden = {"number", "place", "folder", "sent_as", "properties", "attachments", "answers"}
        names = select.split(",") if select else [n for n in whole if n not in hidden | {"internetMessageHeaders"}]
        row = {"@odata.etag": 'W/"1"', "id": whole["id"], **{n: whole[n] for n in names if n in whole}}
        wanted = re.search(r"singleValueExtendedProperties\(\$filter=id eq '(.*)'\)", self.query.get("$expand", ""))
        value = wanted and ("IPM.Note" if "0x001A" in wanted[1] else message["properties"].get(wanted[1]))
        if value and self.readings["property_expand"]:  # its id comes back in another form
            row["singleValueExtendedProperties"] = [{"id": wanted[1].lower().replace("0x00", "0x"), "value": value}]
        return row

    def delta(self, folder):
        if self.readings["delta"] != 200:
            raise Refusal(self.readings["delta"], "UnknownError")
        token = self.query.get("$skiptoken") or self.query.get("$deltatoken")
        state = json.loads(base64.b64decode(token)) if token else (0, 0, self.query.get("$select"), False)
        base, at, select, begun = state
        asked = re.search(r"odata\.maxpagesize=(\d+)", self.prefer, re.I)
        size, end = self.readings["page_size"] or int(asked[1] if asked else 10), len(self.box.log)
        rows, stop = [], at
        while stop < end and len(rows) < size:
            where, number, place, what = self.box.log[stop]
            stop += 1
            message = self.box.messages[number]
            here = (message["folder"], message["place"]) == (folder, place)
            if where != folder or what == "gone" and here:
                continue
            if here:
                rows.append(self.delta_row(message, select if what == "new" or stop <= base else "isRead"))
            elif what == "gone" and message["folder"] != folder:
                rows.append({"id": self.id_of(message, place), "@removed": {"reason": "changed"}})
        rows += rows[:1] if self.readings["repeat_rows"] else []
        if self.readings["empty_pages"] and not begun:
            rows, stop = [], at
        more = stop < end or (self.readings["empty_pages"] and not begun)
        state = json.dumps([base if more else end, stop, select, more])
        token = {"$skiptoken" if more else "$deltatoken": base64.b64encode(state.encode()).decode()}
        link = {"@odata.nextLink" if more else "@odata.deltaLink": self.link(token)}
        page = {**link, "value": rows} if self.readings["links"] == "plain" else {"value": rows, **link}
        return self.service.json(200, page)

    def delta_row(self, message, select):
        forms = {"full": select, "ids": "id", "no_headers": select.replace("internetMessageHeaders,", "")}
        select = forms[self.readings["delta_rows"]]
        return {"@odata.type": "#microsoft.graph.message", **self.row(message, select)}

    def message(self, message, rest):
        if rest[:1] == ["attachments"]:
            return self.attachments(message, rest[1:])
        if rest == ["move"]:
            self.box.move(message, self.box.named(self.given["destinationId"]))
            return self.service.json(self.readings["move"], self.row(message))
        if rest == ["send"]:
            return self.send(message)
        if rest == ["createReply"]:
            if self.readings["create_reply"] >= 400:
                raise Refusal(self.readings["create_reply"], "ErrorInvalidRequest")
            given = {"subject": "RE: " + message["subject"], **(self.given.get("message") or {})}
            return self.create(given, self.readings["create_reply"], message["internetMessageId"])
        if self.method == "PATCH":
            self.store(self.given, message)
            self.box.note(message, "changed")
            if self.readings["patch"] == 204:
                return 204, {}, b""
        return self.service.json(200, self.row(message, self.query.get("$select")))

    def store(self, given, message):
        assert len(given.get("internetMessageHeaders", [])) <= 5
        for name, value in given.items():
            if name == "singleValueExtendedProperties":
                message["properties"].update((p["id"], p["value"]) for p in value)
            else:
                message[name] = value
        return message

    def create(self, given, status, answers=None):
        draft = new_message("", "", sender=self.box.address, isDraft=True, isRead=True, answers=answers)
        return self.service.json(status, self.row(self.box.put(self.box.named("drafts"), self.store(given, draft))))

    def send(self, message):
        if not message["isDraft"]:
            raise Refusal(404, "ErrorItemNotFound")
        message.update(isDraft=False, internetMessageId=f"<{uuid.uuid4().hex}@contoso.example>")
        self.service.sent.append(message)
        self.box.move(message, self.box.named("sentitems"))
        message["sent_as"] += self.readings["sent_id_changes"]
        return 202, {"Retry-After": "1"}, b""  # advice for the next request (10.2)

    def attachment_row(self, message, number, select):
        attachment = message["attachments"][number]
        row = {"@odata.type": "#microsoft.graph.fileAttachment", "id": f"{self.id_of(message)}.{number}",
               "size": len(attachment["bytes"]) + 150}
        row.update({n: attachment[n] for n in ("name", "contentType", "isInline") if n in select})
        if CAST in select:
            row["contentId"] = attachment["contentId"]
        return row

    def attachments(self, message, rest):
        select = self.query.get("$select", "")
        if rest == ["createUploadSession"]:
            return self.open_session(message, self.given["AttachmentItem"])
        if not rest and self.method == "POST":
            given = self.given
            message["attachments"].append({
                "name": given["name"], "contentType": given.get("contentType"), "contentId": given.get("contentId"),
                "isInline": given["isInline"], "bytes": base64.b64decode(given["contentBytes"], validate=True)})
            return self.service.json(201, self.attachment_row(message, len(message["attachments"]) - 1, "name"))
        if not rest:
            if "contentId" in select and not (CAST in select and self.readings["cast"]):
                raise Refusal(400, "BadRequest")
            return self.page([self.attachment_row(message, n, select) for n in range(len(message["attachments"]))])
        attachment = message["attachments"][int(rest[0].rsplit(".", 1)[1])]
        return 200, {"Content-Type": attachment["contentType"] or "application/octet-stream"}, attachment["bytes"]

    def open_session(self, message, item):
        key = uuid.uuid4().hex
        kept = {"name": item["name"], "contentType": item.get("contentType"), "contentId": item.get("contentId"),
                "isInline": item.get("isInline", False), "bytes": b""}
        self.service.sessions[key] = {"message": message, "item": kept, "size": item["size"]}
        origin = self.service.origin if self.readings["upload"] == "same small" else self.service.upload_origin
        url = f"{origin}/upload/{key}/AttachmentSessions('x@y')?authtoken=x%2By"
        return self.service.json(201, {"uploadUrl": url, **self.service.ranges(0, item["size"])})
