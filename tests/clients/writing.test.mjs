// The Graph client changes and sends: drafts, uploads, replies, moves, extended properties. graph-mail.md sections 10 to 13.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FileUpload, LargeFileUploadTask, ResponseType } from "@microsoft/microsoft-graph-client";
import { arrive, control, graph, mailbox, origin, until, uploadOrigin } from "./support.mjs";

const client = graph();
const customer = "customer@fabrikam.example";
const to = (address) => [{ emailAddress: { address } }];
const key = "String {8ECCC264-6880-4EBE-992F-8888D2EEAA1D} Name MailJobId";

test("a draft with an extended property is found, changed and sent", async () => {
  const box = `/users/${await mailbox()}`;
  const draft = await client.api(`${box}/messages`).post({
    subject: "Order", body: { contentType: "HTML", content: "<p>Hi</p>" }, toRecipients: to(customer), importance: "High",
    internetMessageHeaders: [{ name: "X-Auto-Response-Suppress", value: "All" }],
    singleValueExtendedProperties: [{ id: key, value: "Job-42" }],
  });
  assert.equal(draft.isDraft, true);
  assert.equal(draft.importance, "high");
  assert.equal("singleValueExtendedProperties" in draft, false);
  const filter = `singleValueExtendedProperties/Any(ep: ep/id eq '${key}' and ep/value eq 'job-42')`;
  const found = await client.api(`${box}/messages`).filter(filter).expand(`singleValueExtendedProperties($filter=id eq '${key}')`).get();
  assert.deepEqual(found.value.map((m) => m.id), [draft.id]);
  assert.equal(found.value[0].singleValueExtendedProperties[0].value, "Job-42");
  const changed = await client.api(`${box}/messages/${draft.id}`).patch({ subject: "Order 17", ccRecipients: [], categories: ["Red"] });
  assert.equal(changed.subject, "Order 17");
  const small = await client.api(`${box}/messages/${draft.id}/attachments`).post({
    "@odata.type": "#microsoft.graph.fileAttachment", name: "a.txt", contentType: "text/plain", contentBytes: "SGVsbG8=" });
  assert.equal(small.name, "a.txt");
  const sent = await client.api(`${box}/messages/${draft.id}/send`).responseType(ResponseType.RAW).post({});
  assert.equal(sent.status, 202);
  assert.equal(await sent.text(), "");
  await until(async () => (await client.api(`${box}/mailFolders/sentitems/messages`).filter(filter).get()).value.length === 1);
  const [arrived] = await until(async () => {
    const state = await control("GET", `/state?mailbox=${customer}&folder=inbox`);
    const mails = state.mailboxes[0].folders[0].messages.filter((m) => m.subject === "Order 17");
    return mails.length && mails;
  });
  assert.equal(arrived.attachments[0].name, "a.txt");
});

test("send without a body, as fetch sends it", async () => {
  const box = `/users/${await mailbox()}`;
  const draft = await client.api(`${box}/messages`).post({ subject: "Bare", toRecipients: to(customer) });
  const sent = await client.api(`${box}/messages/${draft.id}/send`).responseType(ResponseType.RAW).post(undefined);
  assert.equal(sent.status, 202);
});

test("LargeFileUploadTask puts a file of 5 MB into a draft", async () => {
  const box = `/users/${await mailbox()}`;
  const draft = await client.api(`${box}/messages`).post({ subject: "Big" });
  const bytes = Buffer.alloc(5_000_000, 7);
  const payload = { AttachmentItem: { attachmentType: "file", name: "big.bin", size: bytes.length, contentType: "application/x-big" } };
  const session = await LargeFileUploadTask.createUploadSession(client, `${box}/messages/${draft.id}/attachments/createUploadSession`, payload);
  assert.ok(session.url.startsWith(uploadOrigin));
  // Another host than Graph's: a client that looks at the name only must not take its token there.
  assert.notEqual(new URL(session.url).hostname, new URL(origin).hostname);
  assert.ok(session.expiry > new Date());
  const ranges = [];
  const task = new LargeFileUploadTask(client, new FileUpload(bytes, "big.bin", bytes.length), session,
    { rangeSize: 2 * 1024 * 1024, uploadEventHandlers: { progress: (range) => ranges.push(range.minValue) } });
  const done = await task.upload();
  assert.deepEqual(ranges, [0, 2097152, 4194304]);
  assert.match(done.location, /\/Attachments\('[^']+'\)$/);
  const { value: [attachment] } = await client.api(`${box}/messages/${draft.id}/attachments`).get();
  assert.equal(attachment.contentType, "application/x-big");
  const id = /Attachments\('([^']+)'\)$/.exec(done.location)[1];
  assert.equal((await client.api(`${box}/messages/${draft.id}/attachments/${id}`).select("name").get()).name, "big.bin");
  const back = await client.api(`${box}/messages/${draft.id}/attachments/${attachment.id}/$value`).responseType(ResponseType.ARRAYBUFFER).get();
  assert.ok(Buffer.from(back).equals(bytes));
});

test("an upload is asked how far it is, resumed, and cancelled", async () => {
  const box = `/users/${await mailbox()}`;
  const draft = await client.api(`${box}/messages`).post({ subject: "Big" });
  const bytes = Buffer.alloc(4_000_000, 1);
  const url = `${box}/messages/${draft.id}/attachments/createUploadSession`;
  const payload = { AttachmentItem: { attachmentType: "file", name: "big.bin", size: bytes.length } };
  const make = async () => new LargeFileUploadTask(client, new FileUpload(bytes, "big.bin", bytes.length),
    await LargeFileUploadTask.createUploadSession(client, url, payload), { rangeSize: 1_000_000 });
  const task = await make();
  await task.uploadSlice(bytes.subarray(0, 1_000_000), { minValue: 0, maxValue: 999_999 }, bytes.length);
  const status = await client.api(task.getUploadSession().url).get();
  assert.deepEqual(status.NextExpectedRanges, ["1000000"]);
  const session = task.getUploadSession();
  session.isCancelled = false;
  task.nextRange = { minValue: 1_000_000, maxValue: bytes.length - 1 };
  assert.ok((await task.upload()).location);
  const other = await make();
  assert.equal((await other.cancel()).status, 204);
  assert.equal((await fetch(other.getUploadSession().url)).status, 404);
  const small = { AttachmentItem: { attachmentType: "file", name: "s", size: 1000 } };
  await assert.rejects(LargeFileUploadTask.createUploadSession(client, url, small),
    (e) => e.code === "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize" && e.statusCode === 400);
});

test("createReply, createReplyAll, createForward, reply, forward", async () => {
  const address = await mailbox();
  const id = await arrive(address, "Question", "Reply-To: desk@fabrikam.example\r\nCc: second@fabrikam.example\r\n");
  const at = `/users/${address}/messages/${id}`;
  const reply = await client.api(`${at}/createReply`).post({});
  assert.equal(reply.isDraft, true);
  assert.equal(reply.subject, "RE: Question");
  const bare = await client.api(`${at}/createReply`).post(undefined);
  assert.equal(bare.isDraft, true);
  const all = await client.api(`${at}/createReplyAll`).post({ comment: "Thanks" });
  assert.ok(all.ccRecipients.some((r) => r.emailAddress.address === "second@fabrikam.example"));
  const forward = await client.api(`${at}/createForward`).post({ toRecipients: to(customer), comment: "See" });
  assert.equal(forward.toRecipients[0].emailAddress.address, customer);
  assert.match(forward.subject, /^FW: Question/);
  const sent = await client.api(`${at}/reply`).responseType(ResponseType.RAW).post({ comment: "Yes" });
  assert.equal(sent.status, 202);
  await client.api(`${at}/forward`).post({ toRecipients: to(customer), comment: "FYI" });
  await assert.rejects(client.api(`${at}/reply`).post({ comment: "x", message: { body: { contentType: "text", content: "y" } } }), { statusCode: 400 });
  await assert.rejects(client.api(`/users/${address}/messages/${reply.id}/createReply`).post({}), { statusCode: 400 });
});

test("sendMail as JSON and as MIME", async () => {
  const box = `/users/${await mailbox()}`;
  const json = await client.api(`${box}/sendMail`).responseType(ResponseType.RAW).post({
    message: { subject: "By JSON", body: { contentType: "Text", content: "Hi" }, toRecipients: to(customer) }, saveToSentItems: true });
  assert.equal(json.status, 202);
  const whole = `To: ${customer}\r\nSubject: By MIME\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nHi\r\n`;
  const mime = await client.api(`${box}/sendMail`).header("Content-Type", "text/plain").responseType(ResponseType.RAW)
    .post(Buffer.from(whole).toString("base64"));
  assert.equal(mime.status, 202);
  await until(async () => (await client.api(`${box}/mailFolders/sentitems/messages`).get()).value.length === 2);
  await assert.rejects(client.api(`${box}/sendMail`).header("Content-Type", "text/plain").post("%%%"),
    (e) => e.code === "ErrorMimeContentInvalidBase64String");
  await assert.rejects(client.api(`${box}/sendMail`).post({ message: { subject: "x", toRecipients: to(customer),
    from: { emailAddress: { address: "ceo@contoso.example" } } } }), (e) => e.code === "ErrorSendAsDenied" && e.statusCode === 403);
});

test("move, copy, delete, permanentDelete, flag", async () => {
  const address = await mailbox();
  const box = `/users/${address}`;
  const id = await arrive(address, "Wanderer");
  const keep = { Prefer: 'IdType="ImmutableId"' };
  const same = (await client.api(`${box}/messages/${id}`).headers(keep).select("id").get()).id;
  const moved = await client.api(`${box}/messages/${id}/move`).post({ destinationId: "archive" });
  assert.notEqual(moved.id, id);
  await assert.rejects(client.api(`${box}/messages/${id}`).get(), (e) => e.statusCode === 404 && e.code === "ErrorItemNotFound");
  assert.equal((await client.api(`${box}/messages/${same}`).headers(keep).get()).id, same);
  const back = await client.api(`${box}/messages/${same}/move`).headers(keep).post({ destinationId: "inbox" });
  assert.equal(back.id, same);
  const copy = await client.api(`${box}/messages/${same}/copy`).headers(keep).post({ destinationId: "archive" });
  assert.notEqual(copy.id, same);
  const flagged = await client.api(`${box}/messages/${same}`).patch({ flag: { flagStatus: "flagged" } });
  assert.equal(flagged.flag.flagStatus, "flagged");
  const minimal = await client.api(`${box}/messages/${same}`).header("Prefer", "return=minimal").responseType(ResponseType.RAW).patch({ isRead: true });
  assert.ok(minimal.status === 204 || minimal.status === 200);
  await client.api(`${box}/messages/${same}`).delete();
  assert.ok((await client.api(`${box}/mailFolders/deleteditems/messages`).headers(keep).get()).value.some((m) => m.id === same));
  await client.api(`${box}/messages/${copy.id}/permanentDelete`).post({});
  await assert.rejects(client.api(`${box}/messages/${copy.id}`).headers(keep).get(), { statusCode: 404 });
  await assert.rejects(client.api(`${box}/messages/${same}/move`).post({ destinationId: "nowhere" }), (e) => [400, 404].includes(e.statusCode));
});

test("multi-value extended properties", async () => {
  const box = `/users/${await mailbox()}`;
  const id = "StringArray {66f5a359-4659-4830-9070-00049ec6ac6e} Name Palette";
  const draft = await client.api(`${box}/messages`).post({ subject: "Colours",
    multiValueExtendedProperties: [{ id, value: ["Green", "Aqua"] }] });
  const read = await client.api(`${box}/messages/${draft.id}`).expand(`multiValueExtendedProperties($filter=id eq '${id}')`).get();
  assert.deepEqual(read.multiValueExtendedProperties[0].value, ["Green", "Aqua"]);
});
