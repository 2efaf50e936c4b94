"""A mail as Python's `email` reads it: the second opinion that what the product says of real mail is compared with.

Nothing here knows the product. What Graph's view of a mail adds is said where it is applied: one body (html where there
is one), everything else an attachment, the machine-readable parts of a report hidden.
"""
import email
import email.policy
import email.utils
import hashlib
import html.parser
import re

REPORT_PARTS = {"message/delivery-status", "message/global-delivery-status", "message/disposition-notification",
                "text/rfc822-headers"}
# Names that mail programs write and Python does not know, or means a smaller set by.
CHARSETS = {"unicode-1-1-utf-7": "utf-7", "iso-8859-1": "windows-1252", "big5": "cp950", "shift_jis": "cp932"}


def squeeze(text):
    """Whitespace does not count."""
    return re.sub(r"\s+", " ", text or "").strip()


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class VisibleText(html.parser.HTMLParser):
    """What a reader of an html page sees, and where its links lead."""

    HIDDEN = {"head", "style", "script", "title"}
    INLINE = {"a", "abbr", "b", "big", "code", "em", "font", "i", "img", "o:p", "small", "span", "strong", "sub", "sup",
              "tt", "u", "wbr"}

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.words, self.links, self.hidden = [], [], []

    def handle_starttag(self, tag, attrs):
        self.links += [value.strip() for name, value in attrs if name in ("href", "src") and value]
        if tag in self.HIDDEN:
            self.hidden.append(tag)
        elif tag not in self.INLINE:
            self.words.append(" ")

    def handle_endtag(self, tag):
        if tag in self.hidden:
            del self.hidden[self.hidden.index(tag):]
        elif tag not in self.INLINE:
            self.words.append(" ")

    def handle_data(self, data):
        if not self.hidden:
            self.words.append(data)


def page(text):
    """(visible text, links) of an html page."""
    reader = VisibleText()
    reader.feed(text)
    reader.close()
    return squeeze("".join(reader.words)), reader.links


def raw_content(part):
    """The content of a part as transferred, also where Python sees a container."""
    as_written = email.policy.compat32.clone(linesep="\r\n", max_line_length=None, mangle_from_=False)
    _, _, body = part.as_bytes(policy=as_written).partition(b"\r\n\r\n")
    return body


def unfolded(value):
    """A raw header value as text: without folding; raw bytes are UTF-8 (RFC 6532), else windows-1252 as ever."""
    content = (value if isinstance(value, str) else str(value)).encode("utf-8", "surrogateescape")
    try:
        return squeeze(content.decode())
    except UnicodeDecodeError:
        return squeeze(content.decode("windows-1252", "replace"))


class Reading:
    """One file.

    `headers`: [(name, value)] in wire order. `message_ids`: {field: [ids]}. `addresses`: {field: [(name, address)]}.
    `text`, `html`: the one body; at most one is not None. `attachments`: a list of (name, SHA-256), of an attached mail
    (name, its own Reading). `signed`: the inside of a clear-signed mail.
    """

    def __init__(self, wire):
        self._read(email.message_from_bytes(wire, policy=email.policy.default),
                   email.message_from_bytes(wire, policy=email.policy.compat32))

    @classmethod
    def of(cls, message, raw):
        reading = cls.__new__(cls)
        reading._read(message, raw)
        return reading

    def _read(self, message, raw):
        self.headers = [(name, unfolded(value)) for name, value in raw.raw_items()]
        self.message_ids = {name: re.findall(r"<[^<>\s]+>", " ".join(str(each) for each in raw.get_all(name) or []))
                            for name in ("message-id", "in-reply-to", "references")}
        self.subject = str(message["Subject"] or "")
        self.addresses = {name: self._addresses(message, raw, name) for name in ("from", "to", "cc", "reply-to")}
        self.text, self.html, self.attachments, self._text_place, self._generated = None, None, [], None, 0
        self.signed = message.get_content_type() == "multipart/signed"
        self._report = message.get_content_type() == "multipart/report" and message.get_param("report-type") in (
            "delivery-status", "disposition-notification")
        self._walk(message, raw, ())
        if self.html is not None:
            self.text = None  # of two forms of the same text the better one

    @staticmethod
    def _addresses(message, raw, name):
        found = []
        for field, text in zip(message.get_all(name) or [], raw.get_all(name) or []):
            # "a@b (Name)" names too (RFC 5322, section 3.4); Python's newer reading drops it.
            comments = {address: comment for comment, address in email.utils.getaddresses([str(text)])}
            found += [(each.display_name or comments.get(each.addr_spec, ""), each.addr_spec)
                      for each in field.addresses]
        return found

    def _walk(self, part, raw, alternatives):
        kind = part.get_content_type()
        if kind in ("message/rfc822", "message/global"):
            inner, raw_inner = part.get_payload(0), raw.get_payload(0)
            self.attachments.append(((str(inner["Subject"] or "") or "message") + ".eml", Reading.of(inner, raw_inner)))
        elif part.get_content_maintype() != "multipart":
            self._leaf(part, raw, kind, alternatives)
        elif part.is_multipart():
            inner = alternatives + (part,) if kind == "multipart/alternative" else alternatives
            for child, raw_child in zip(part.get_payload(), raw.get_payload()):
                self._walk(child, raw_child, inner)
        elif self.text is None:
            self.text = ""  # a multipart without parts

    def _leaf(self, part, raw, kind, alternatives):
        named = part.get_filename() is not None or part.get_content_disposition() == "attachment"
        if kind == "text/plain" and not named and self.text is None and self.html is None:
            self.text, self._text_place = self._decoded(part), alternatives
        elif kind == "text/html" and not named and self.html is None and (
                self.text is None or (alternatives and alternatives[:1] == self._text_place[:1])):
            self.html = self._decoded(part)
        elif not (self._report and kind in REPORT_PARTS):
            content = part.get_payload(decode=True) if part.get_content_maintype() != "message" else raw_content(raw)
            self.attachments.append((part.get_filename() or self._name_for(kind), sha256(content)))

    def _name_for(self, kind):
        if self.signed:
            return ""  # read from MIME, where a part without a name has none
        self._generated += 1
        ending = {"text/plain": "txt", "text/html": "htm", "image/jpeg": "jpg", "text/calendar": "ics"}.get(kind, "dat")
        return f"ATT{self._generated:05}.{ending}"  # as Exchange names what has no name

    @staticmethod
    def _decoded(part):
        charset = (part.get_content_charset() or "utf-8").lower()
        return (part.get_payload(decode=True) or b"").decode(CHARSETS.get(charset, charset), "replace")
