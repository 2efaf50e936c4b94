// The newer SDK (Kiota) against the same service: typed requests, pages, batch, errors. graph-mail.md sections 3 to 16.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AzureIdentityAuthenticationProvider } from "@microsoft/kiota-authentication-azure";
import { createGraphServiceClient, GraphRequestAdapter } from "@microsoft/msgraph-sdk";
import { createMessageCollectionResponseFromDiscriminatorValue } from "@microsoft/msgraph-sdk/models/index.js";
import { createODataErrorFromDiscriminatorValue } from "@microsoft/msgraph-sdk/models/oDataErrors/index.js";
import { BatchRequestContent, PageIterator } from "@microsoft/msgraph-sdk-core";
import "@microsoft/msgraph-sdk-users";
import { arrive, control, credential, mailbox, origin, scope } from "./support.mjs";

const hosts = new Set([new URL(origin).hostname]);
const adapter = new GraphRequestAdapter(new AzureIdentityAuthenticationProvider(credential(), [scope], undefined, hosts));
adapter.baseUrl = `${origin}/v1.0`;
const client = createGraphServiceClient(adapter);
const errors = { XXX: createODataErrorFromDiscriminatorValue };

test("a list, one message, a change, a move", async () => {
  const address = await mailbox();
  await arrive(address, "Typed");
  const box = client.users.byUserId(address);
  const list = await box.messages.get({ queryParameters: { select: ["subject", "receivedDateTime"], top: 5, count: true } });
  assert.equal(list.odataCount, 1);
  assert.equal(list.value[0].subject, "Typed");
  assert.ok(list.value[0].receivedDateTime instanceof Date);
  const message = box.messages.byMessageId(list.value[0].id);
  const whole = await message.get();
  assert.equal(whole.isRead, false);
  assert.equal(whole.from.emailAddress.address, "customer@fabrikam.example");
  assert.equal((await message.patch({ isRead: true })).isRead, true);
  const moved = await message.move.post({ destinationId: "archive" });
  assert.notEqual(moved.id, whole.id);
});

test("a draft is made, sent and found in Sent Items", async () => {
  const address = await mailbox();
  const box = client.users.byUserId(address);
  const draft = await box.messages.post({ subject: "Typed draft", body: { contentType: "html", content: "<p>Hi</p>" },
    toRecipients: [{ emailAddress: { address: "customer@fabrikam.example" } }] });
  assert.equal(draft.isDraft, true);
  await box.messages.byMessageId(draft.id).send.post();
  await box.sendMail.post({ message: { subject: "Typed sendMail", toRecipients: [{ emailAddress: { address } }] }, saveToSentItems: true });
  for (let tries = 0; tries < 100; ++tries) {
    if ((await box.mailFolders.byMailFolderId("sentitems").messages.get()).value.length === 2) return;
    await new Promise((done) => setTimeout(done, 50));
  }
  assert.fail("it never stood in Sent Items");
});

test("PageIterator and delta", async () => {
  const address = await mailbox();
  await control("POST", `/mailboxes/${address}/flood`, { count: 25, size: 200 });
  const ids = new Set();
  const first = await client.users.byUserId(address).messages.get();
  const pages = new PageIterator(adapter, first, (m) => ids.add(m.id).size > 0, createMessageCollectionResponseFromDiscriminatorValue, errors);
  await pages.iterate();
  assert.equal(ids.size, 25);
  const inbox = client.users.byUserId(address).mailFolders.byMailFolderId("inbox").messages;
  let page = await inbox.delta.get({ queryParameters: { select: ["subject"] } });
  let rows = page.value.length;
  while (page.odataNextLink) {
    page = await inbox.delta.withUrl(page.odataNextLink).get();
    rows += page.value.length;
  }
  assert.equal(rows, 25);
  assert.equal((await inbox.delta.withUrl(page.odataDeltaLink).get()).value.length, 0);
});

test("a refusal is an ODataError", async () => {
  await assert.rejects(client.users.byUserId("nobody@contoso.example").messages.get(), (error) => {
    assert.equal(error.responseStatusCode, 404);
    assert.equal(error.errorEscaped.code, "ErrorInvalidUser");
    assert.match(error.errorEscaped.innerError.requestId ?? error.errorEscaped.innerError.additionalData["request-id"], /^[0-9a-f-]{36}$/);
    return true;
  });
});

test("a batch", async () => {
  const address = await mailbox();
  const id = await arrive(address, "In a batch");
  const box = client.users.byUserId(address);
  const content = new BatchRequestContent(adapter, errors);
  // Reads only: this version leaves the headers out, and a body would need its Content-Type.
  const list = content.addBatchRequest(box.messages.toGetRequestInformation());
  const one = content.addBatchRequest(box.messages.byMessageId(id).toGetRequestInformation());
  const answers = await content.postAsync();
  assert.equal(answers.getResponseById(list.id).status, 200);
  assert.equal(answers.getResponseById(one.id).status, 200);
});
