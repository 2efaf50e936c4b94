"""What the product has to say of each file of the mail corpus: its flags, its report, and where it may differ from
Python's reading (mail_reading.py), with the reason."""

import hashlib

# Every flag, for every file: what is not named here must not be set.
FLAGS = {
    "01-ndr-office365-generic-report-no-status.eml": {"bounce", "auto_submitted"},  # Auto-Submitted: auto-replied
    "02-ndr-office365-plain-text.eml": {"bounce"},
    "04-ndr-office365-full-headers.eml": {"bounce", "auto_submitted"},
    "06-ndr-office365-iso2022jp.eml": {"bounce", "auto_submitted"},
    "07-ndr-exchange2007-french.eml": {"bounce", "auto_submitted"},
    "09-ndr-exchange2003-nonstandard.eml": {"bounce"},
    "10-dsn-hotmail-delay-utf7.eml": {"bounce"},
    "11-dsn-mailru-cyrillic.eml": {"bounce", "auto_submitted"},
    "13-dsn-as-multipart-mixed.eml": {"bounce"},
    "14-autoreply-precedence.eml": {"auto_submitted"},  # "Precedence: bulk" of an automatic reply makes no mass mail
    "15-autoreply-exchange-ooo.eml": {"auto_submitted"},
    "17-autoreply-html-broken-subject.eml": {"auto_submitted"},
    "18-arf-feedback-report.eml": set(),  # a report of abuse is no bounce
    "19-calendar-part-minimal.eml": set(),  # no METHOD, so no meeting message
    "21-ndr-office365-real-65k.eml": {"bounce", "auto_submitted"},
    "22-huge-header.eml": set(),
    "23-smime-signed-small.eml": {"signed"},
    "25-rfc822-attachment-bad-encoding.eml": set(),
    "27-long-links.eml": set(),
    "28-malformed-headers.eml": set(),
    "29-false-multipart.eml": set(),
    "30-iphone-jpeg.eml": set(),
    "32-external-body.eml": {"bulk"},  # Precedence: bulk
    "33-spam-broken-headers.eml": set(),
    "34-mbox-from-line-torture.eml": set(),
    "35-rfc822-attachment-with-pdf.eml": set(),
    "37-nonascii-filename-raw.eml": set(),
    "38-attachment-only.eml": set(),
    "39-filename-encoded-word.eml": set(),
    "40-filename-rfc2231.eml": set(),
    "42-iso-2022-jp-body.eml": set(),
    "43-shift-jis.eml": set(),
    "45-uuencode-attachment.eml": set(),
    "46-big5-empty-cte.eml": set(),
    "48-empty-group-recipients.eml": set(),
    "49-references-invalid.eml": set(),
    "50-empty-header-values.eml": set(),
    "51-raw-utf8-headers.eml": set(),
    "53-reply-in-reply-to.eml": set(),
    "54-dsn-many-recipients.eml": {"bounce", "auto_submitted"},
    "55-deep-structure-rfc8621.eml": set(),
    "56-utf16-and-eucjp-parts.eml": set(),
    "58-mdn-read-receipt.eml": {"read_receipt"},
    "59-tnef-winmail.eml": set(),
}

# kind, recipient, status, original Message-ID; of all other files: no report.
REPORTS = {
    "01-ndr-office365-generic-report-no-status.eml":
        ("failed", "kijitora@example.com", "5.1.10", "<FFFFFFFF.EEEEEEEE@example.ed.jp>"),  # from its text
    "02-ndr-office365-plain-text.eml":
        ("failed", "kijitora@example.onmicrosoft.com", "5.1.1",
         "<c302b7e8-9b97-40ef-90eb-313cc6c25133@NYAAAAN.example.org>"),
    "04-ndr-office365-full-headers.eml":
        ("failed", "kijitora@example.jp", "5.1.8",
         "<SLXP216MB0381016D56DE89DBC2139287A96B0@SLXP216MB0381.KORP216.PROD.OUTLOOK.COM>"),
    "06-ndr-office365-iso2022jp.eml":
        ("failed", "kijitora-nyaan@neko.kyoto.example.jp", "5.1.10", None),  # the returned mail has no Message-ID
    "07-ndr-exchange2007-french.eml":
        ("failed", "transports@agglo-saumur.fr", "5.1.1",
         "<1513177790.ha3dsljxgizc2mjrgq2dkobx@mb.newsletter-autos.fr>"),
    "09-ndr-exchange2003-nonstandard.eml":  # its text has no status code
        ("failed", "kijitora@example.co.jp", None, "<000000000000000.0000000@example.jp>"),
    "10-dsn-hotmail-delay-utf7.eml":
        ("delayed", "kijitora@example.com", "4.4.7", "<BAY182-W4180385B0DABF89EB94B34A9300@phx.gbl>"),
    "11-dsn-mailru-cyrillic.eml":
        ("failed", "kijitora@example.jp", "5.1.1", "<8F3CE2D8-D60E-48C3-B9AF-BED628EE2CA5@mail.example.ru>"),
    "13-dsn-as-multipart-mixed.eml":
        ("delayed", "kijitora-cat@mx4.gr3.example.jp", "4.3.0",
         "<00000000000000000000000000000000000000000@example.org>"),
    "21-ndr-office365-real-65k.eml":
        ("failed", "noname@example.com", "5.1.10", "<20171013111011.20866.254C2F3A4D7AA526@ninomail.com>"),
    "54-dsn-many-recipients.eml":  # the first of five that failed
        ("failed", "bbbbvhvbbvkjbhfbvbvjhb@gmail.com", "5.1.1", "<118707422.15521266992174819.JavaMail.root@lvmail01>"),
    "58-mdn-read-receipt.eml":
        ("read", "Joe_Recipient@example.com", "displayed", "<199509192301.23456@example.org>"),
}

# Where the two readings differ: file -> field -> (what the product has to say, why it is right).
DIFFERENCES = {
    "28-malformed-headers.eml": {
        "subject": ("\u00b4!", "a raw byte of no charset: windows-1252 loses nothing, Python gives U+FFFD"),
        "from": ([("\u00d0\u00ae\u00d0\u00bd\u00d0\u00b8\u00d0\u00ba\u00d0\u00be\u00d0\u00b4 \u00d0\u00b7\u00d0\u00b0"
                   "\u00d0\u00bf\u00d1\u20ac\u00d0\u00b5\u00d1\u2030\u00d0\u00b5\u00d0\u00bd\u00f1", "headers@gmail.com")],
                 "raw bytes that are no UTF-8, for the last letter is cut: windows-1252 loses nothing, Python keeps what "
                 "is no text (surrogates)"),
        "to": ([("\u00b4google@example.com", "\u00b4google@example.com")], "as its subject"),
    },
    "32-external-body.eml": {
        "attachments": ([("ATT00001.dat", hashlib.sha256(b"").hexdigest()),
                         ("draft-ietf-http-authentication-00.txt", hashlib.sha256(b"").hexdigest())],
                        "the references (message/external-body) have phantom headers and no phantom body; Python writes "
                        "an empty line for it that is not there"),
    },
    "33-spam-broken-headers.eml": {
        "subject": ("Forget Asking For A Link Exchange\u2026",
                    "a raw byte of no charset: in windows-1252 an ellipsis, Python gives U+FFFD"),
    },
    "39-filename-encoded-word.eml": {
        "attachments": ([("This is a test.pdf", "3edf4dcb7f2569a4d2d29ea442b37ce50ceeb0e6019a81529612752d4768c3ac")],
                        "an encoded word without quotes is not allowed as file name and common (corpus README); Python "
                        "sees no name, and has the same bytes"),
    },
    "51-raw-utf8-headers.eml": {
        "from": ([("J\u00f6hn Doe", "jd\u00f6e@m\u00e4chine.example")],
                 "raw UTF-8 in headers is text (RFC 6532); Python keeps what is no text (surrogates)"),
        "to": ([("M\u00e4ry Smith", "m\u00e4ry@ex\u00e4mple.net")], "as its sender"),
    },
    "56-utf16-and-eucjp-parts.eml": {
        "attachments": ([("ATT00001.txt", "cac5a68872b6d77298d37f75367ada0b80f47998994b349b6d09780f173ce1b0"),
                         ("ATT00002.txt", "47698d0e3fbfddf8aacc0315c07f55199977b24a0ceaa26164aaabb17544ffc8"),
                         ("ATT00003.txt", "84205ba414ceb8332259924f2a39d704ed8d3b99a84df34f7760ae524192cace"),
                         ("ATT00004.txt", hashlib.sha256(b"invalid--1--\n").hexdigest())],
                        "no boundary ends the last part, so its line break belongs to it (RFC 2046, 5.1.1); Python "
                        "drops it, the other three are the same"),
    },
}
