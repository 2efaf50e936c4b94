// The Graph client reads: lists, pages, delta, one message, attachments, MIME. graph-mail.md sections 3 to 9 and 13.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { GraphError, PageIterator, ResponseType } from "@microsoft/microsoft-graph-client";
import { arrive, control, graph, mailbox } from "./support.mjs";

const client = graph();
const immutable = 'IdType="ImmutableId"';
let user;
before(async () => {
  user = `/users/${await mailbox()}`;
});

test("a list with $select, $top, $orderby, $filter and $count", async () => {
  const box = `/users/${await mailbox()}`;
  const address = box.slice(7);
  for (const n of [1, 2, 3]) await arrive(address, `Order ${n}, it's`);
  const list = await client.api(`${box}/mailFolders/inbox/messages`).select(["subject", "isRead"]).top(2).count(true)
    .orderby("receivedDateTime desc").get();
  assert.equal(list["@odata.count"], 3);
  assert.equal(list.value.length, 2);
  assert.deepEqual(Object.keys(list.value[0]).sort(), ["@odata.etag", "id", "isRead", "subject"]);
  assert.match(list["@odata.nextLink"], /\/v1\.0\/users\/.*skip/i);
  const rest = await client.api(list["@odata.nextLink"]).get();
  assert.equal(rest.value.length, 1);
  const found = await client.api(`${box}/messages`).filter("isRead eq false and subject eq 'Order 2, it''s'").get();
  assert.deepEqual(found.value.map((m) => m.subject), ["Order 2, it's"]);
  const number = await client.api(`${box}/mailFolders/inbox/messages/$count`).get();
  assert.equal(String(number), "3");
  assert.equal((await client.api(`${box}/messages`).skip(1).get()).value.length, 2);
  await assert.rejects(client.api(`${box}/messages`).filter("isRead eq false").orderby("receivedDateTime").get(),
    (error) => error instanceof GraphError && error.statusCode === 400 && error.code === "InefficientFilter");
});

test("PageIterator goes through a list and a delta series to its end", async () => {
  const address = await mailbox();
  await control("POST", `/mailboxes/${address}/flood`, { count: 35, size: 200 });
  const seen = new Set();
  const first = await client.api(`/users/${address}/messages`).select("id").get();
  await new PageIterator(client, first, (m) => seen.add(m.id)).iterate();
  assert.equal(seen.size, 35);

  const rows = [];
  const headers = { Prefer: `odata.maxpagesize=10, ${immutable}` };
  const start = await client.api(`/users/${address}/mailFolders/inbox/messages/delta`).headers(headers).select("subject").get();
  assert.equal(start.value.length, 10);
  const pages = new PageIterator(client, start, (m) => rows.push(m) > 0, { headers });
  await pages.iterate();
  assert.equal(rows.length, 35);
  const deltaLink = pages.getDeltaLink();
  assert.match(deltaLink, /\$deltatoken=/);

  await client.api(`/users/${address}/messages/${rows[0].id}`).patch({ isRead: true });
  await client.api(`/users/${address}/messages/${rows[1].id}/move`).post({ destinationId: "archive" });
  await arrive(address, "New");
  const round = await client.api(deltaLink).headers(headers).get();
  const changed = round.value.find((m) => m.id === rows[0].id);
  assert.equal(changed.isRead, true);
  assert.equal(round.value.find((m) => m.id === rows[1].id)["@removed"].reason, "deleted");
  assert.ok(round.value.some((m) => m.subject === "New"));
  assert.ok(round["@odata.deltaLink"]);

  await control("POST", "/delta/forget", { mailbox: address });
  await assert.rejects(client.api(deltaLink).get(), (e) => e.statusCode === 410 && /syncStateNotFound/i.test(e.code));
});

test("one message: body forms, headers, extended properties, MIME", async () => {
  const address = user.slice(7);
  const id = await arrive(address, "Headers", "X-Ticket: 17\r\nReceived: from a by b; Mon, 02 Nov 2026 10:00:00 +0000\r\n");
  const whole = await client.api(`${user}/messages/${id}`).get();
  for (const name of ["id", "createdDateTime", "changeKey", "conversationId", "webLink", "body", "from", "toRecipients", "flag"]) {
    assert.ok(name in whole, name);
  }
  assert.equal("internetMessageHeaders" in whole, false);
  const text = await client.api(`${user}/messages/${id}`).header("Prefer", 'outlook.body-content-type="text"').get();
  assert.equal(text.body.contentType, "text");
  assert.match(text.body.content, /^Hello/);
  const html = await client.api(`${user}/messages/${id}`).header("Prefer", 'outlook.body-content-type="html"').get();
  assert.equal(html.body.contentType, "html");
  const { internetMessageHeaders } = await client.api(`${user}/messages/${id}`).select("internetMessageHeaders").get();
  assert.equal(internetMessageHeaders.find((h) => h.name === "X-Ticket").value, "17");
  const expanded = await client.api(`${user}/messages/${id}`)
    .expand("singleValueExtendedProperties($filter=id eq 'String 0x001A' or id eq 'LONG 0x0E08')").select("subject").get();
  const byId = new Map(expanded.singleValueExtendedProperties.map((p) => [p.id.toLowerCase(), p.value]));
  assert.equal(byId.get("string 0x1a"), "IPM.Note");
  assert.ok(Number(byId.get("long 0xe08")) > 0);
  const raw = await client.api(`${user}/messages/${id}/$value`).responseType(ResponseType.TEXT).get();
  assert.match(raw, /^Subject: Headers\r$/m);
  const stream = await client.api(`${user}/messages/${id}/$value`).getStream();
  assert.ok(stream);
});

test("$search, by words and by a property", async () => {
  const address = await mailbox();
  await arrive(address, "Pallet of bananas");
  await arrive(address, "Crate of apples", "", "not a pallet");
  const found = await client.api(`/users/${address}/messages`).search('"bananas"').get();
  assert.deepEqual(found.value.map((m) => m.subject), ["Pallet of bananas"]);
  const subject = await client.api(`/users/${address}/messages`).search('"subject:pallet"').get();
  assert.deepEqual(subject.value.map((m) => m.subject), ["Pallet of bananas"]);
  const from = await client.api(`/users/${address}/messages`).search('"from:customer@fabrikam.example"').get();
  assert.equal(from.value.length, 2);
  await assert.rejects(client.api(`/users/${address}/messages`).search('"a"').filter("isRead eq true").get(), { statusCode: 400 });
});

test("attachments: list, select by cast, content, raw bytes, an attached mail", async () => {
  const address = user.slice(7);
  const part = (head, body) => `--b\r\n${head}\r\n\r\n${body}\r\n`;
  await control("POST", `/mailboxes/${address}/messages`,
    `From: a@fabrikam.example\r\nTo: ${address}\r\nSubject: With parts\r\nMessage-ID: <parts@fabrikam.example>\r\n` +
    `MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n` +
    part("Content-Type: text/html", '<p>See <img src="cid:logo@x"></p>') +
    part('Content-Type: application/pdf; name="a b.pdf"\r\nContent-Disposition: attachment; filename="a b.pdf"\r\nContent-Transfer-Encoding: base64', "SGVsbG8=") +
    part('Content-Type: image/png; name="logo.png"\r\nContent-ID: <logo@x>\r\nContent-Disposition: inline; filename="logo.png"\r\nContent-Transfer-Encoding: base64', "iVBORw0KGgo=") +
    part("Content-Type: message/rfc822", "From: z@z.example\r\nSubject: Inner\r\n\r\nInside") + "--b--\r\n");
  const { value: [mail] } = await client.api(`${user}/messages`).filter("internetMessageId eq '<parts@fabrikam.example>'").get();
  assert.equal(mail.hasAttachments, true);
  const at = `${user}/messages/${mail.id}/attachments`;
  const { value } = await client.api(at).select("id,name,contentType,size,isInline,microsoft.graph.fileAttachment/contentId").get();
  assert.equal(value.length, 3);
  const pdf = value.find((a) => a.name === "a b.pdf");
  assert.equal(pdf["@odata.type"], "#microsoft.graph.fileAttachment");
  assert.equal("contentBytes" in pdf, false);
  assert.equal(value.find((a) => a.name === "logo.png").contentId, "logo@x");
  assert.equal((await client.api(`${at}/${pdf.id}`).get()).contentBytes, "SGVsbG8=");
  const bytes = await client.api(`${at}/${pdf.id}/$value`).responseType(ResponseType.ARRAYBUFFER).get();
  assert.equal(Buffer.from(bytes).toString(), "Hello");
  const item = value.find((a) => a["@odata.type"] === "#microsoft.graph.itemAttachment");
  const opened = await client.api(`${at}/${item.id}`).expand("microsoft.graph.itemattachment/item").get();
  assert.equal(opened.item.subject, "Inner");
  const inner = await client.api(`${at}/${item.id}/$value`).responseType(ResponseType.TEXT).get();
  assert.match(inner, /Subject: Inner/);
  const expanded = await client.api(`${user}/messages/${mail.id}`).expand("attachments").get();
  assert.equal(expanded.attachments.length, 3);
  assert.equal(String(await client.api(`${at}/$count`).get()), "3");
});

test("folders: list, hidden ones, children, create twice, rename, move, copy, delete", async () => {
  const folders = `${user}/mailFolders`;
  const top = await client.api(folders).top(50).get();
  assert.ok(top.value.some((f) => f.displayName === "Inbox" && f.isHidden === false));
  const claims = await client.api(`${folders}/inbox/childFolders`).post({ displayName: "Claims" });
  assert.ok(claims.id);
  await assert.rejects(client.api(`${folders}/inbox/childFolders`).post({ displayName: "claims" }),
    (e) => e.statusCode === 409 && e.code === "ErrorFolderExists");
  const hidden = await client.api(folders).post({ displayName: "Hidden one", isHidden: true });
  assert.equal((await client.api(folders).top(50).get()).value.some((f) => f.id === hidden.id), false);
  assert.ok((await client.api(`${folders}?includeHiddenFolders=true`).top(50).get()).value.some((f) => f.id === hidden.id));
  const found = await client.api(folders).filter("displayName eq 'Inbox'").get();
  assert.equal(found.value.length, 1);
  const starts = await client.api(folders).filter("startswith(displayName,'Inb')").get();
  assert.equal(starts.value.length, 1);
  assert.equal((await client.api(`${folders}/${claims.id}`).patch({ displayName: "Old claims" })).displayName, "Old claims");
  const archive = await client.api(`${folders}/archive`).get();
  const moved = await client.api(`${folders}/${claims.id}/move`).post({ destinationId: "archive" });
  assert.equal(moved.id, claims.id);
  assert.equal(moved.parentFolderId, archive.id);
  const copied = await client.api(`${folders}/${claims.id}/copy`).post({ destinationId: "inbox" });
  assert.notEqual(copied.id, claims.id);
  assert.equal(copied.displayName, "Old claims");
  const tree = await client.api(folders).expand("childFolders").top(50).get();
  assert.ok(tree.value.find((f) => f.id === archive.id).childFolders.some((f) => f.id === claims.id));
  await client.api(`${folders}/${claims.id}`).delete();
  await assert.rejects(client.api(`${folders}/archive/childFolders/${claims.id}`).get().then((f) => {
    if (f.parentFolderId !== archive.id) throw Object.assign(new Error("gone"), { statusCode: 404 });
  }), { statusCode: 404 });
  assert.ok(Number(await client.api(`${folders}/$count`).get()) > 5);
  const changes = await client.api(`${folders}/delta`).get();
  assert.ok(changes.value.some((f) => f.displayName === "Inbox"));
  assert.ok((await client.api(changes["@odata.deltaLink"]).get()).value);
});

test("a folder list in pages", async () => {
  const address = await mailbox("fi");
  for (let n = 0; n < 12; ++n) await client.api(`/users/${address}/mailFolders/inbox/childFolders`).post({ displayName: `F${n}` });
  const names = [];
  const first = await client.api(`/users/${address}/mailFolders/inbox/childFolders`).top(5).get();
  await new PageIterator(client, first, (f) => names.push(f.displayName) > 0).iterate();
  assert.equal(names.length, 12);
  assert.equal((await client.api(`/users/${address}/mailFolders/inbox`).get()).displayName, "Saapuneet");
});
