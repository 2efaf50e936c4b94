// $batch, throttling and refusals as the Graph client takes them. graph-mail.md sections 14 to 16.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BatchRequestContent, BatchResponseContent, GraphError } from "@microsoft/microsoft-graph-client";
import { arrive, control, credentials, graph, host, mailbox, origin, publicApp, tenant } from "./support.mjs";
import { UsernamePasswordCredential } from "@azure/identity";

const client = graph();

async function run(steps) {
  const content = await new BatchRequestContent(steps).getContent();
  return new BatchResponseContent(await client.api("/$batch").post(content));
}
const request = (path, options) => new Request(`${origin}${path}`, options);

test("a batch of reads, writes and refusals", async () => {
  const address = await mailbox();
  const id = await arrive(address, "One");
  const answers = await run([
    { id: "list", request: request(`/users/${address}/messages?$select=subject`) },
    { id: "patch", request: request(`/users/${address}/messages/${id}`, {
      method: "PATCH", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ isRead: true }) }) },
    { id: "missing", request: request(`/users/${address}/messages/${id.slice(0, -4)}`) },
    { id: "mime", request: request(`/users/${address}/messages/${id}/$value`) },
  ]);
  assert.equal((await answers.getResponseById("list").json()).value[0].subject, "One");
  assert.equal((await answers.getResponseById("patch").json()).isRead, true);
  assert.ok([400, 404].includes(answers.getResponseById("missing").status));
  assert.equal(answers.getResponseById("mime").status, 200);
});

test("a chain: what follows a failure is 424", async () => {
  const address = await mailbox();
  const answers = await run([
    { id: "1", request: request(`/users/${address}/mailFolders/nonsense`) },
    { id: "2", dependsOn: ["1"], request: request(`/users/${address}/messages`) },
  ]);
  assert.ok(answers.getResponseById("1").status >= 400);
  assert.equal(answers.getResponseById("2").status, 424);
});

test("a malformed batch is refused as a whole", async () => {
  const requests = Array.from({ length: 21 }, (_, n) => ({ id: `${n}`, method: "GET", url: "/users/x/messages" }));
  await assert.rejects(client.api("/$batch").post({ requests }), (e) => e instanceof GraphError && e.statusCode === 400);
  await assert.rejects(client.api("/$batch").post({ requests: [{ id: "a", method: "GET", url: "/x" }, { id: "A", method: "GET", url: "/x" }] }), { statusCode: 400 });
});

test("a throttled request is repeated after Retry-After", async () => {
  const address = await mailbox();
  await arrive(address, "One");
  await control("POST", `/mailboxes/${address}/throttle`, { count: 2, retry_after: 1 });
  const began = Date.now();
  const list = await client.api(`/users/${address}/messages`).get();
  assert.equal(list.value.length, 1);
  assert.ok(Date.now() - began >= 1900);
});

test("a throttled request inside a batch answers 429 of its own", async () => {
  const address = await mailbox();
  await control("POST", `/mailboxes/${address}/throttle`, { count: 1, retry_after: 7 });
  const answers = await run([{ id: "1", request: request(`/users/${address}/messages`) }]);
  assert.equal(answers.getResponseById("1").status, 429);
  assert.equal(answers.getResponseById("1").headers.get("Retry-After"), "7");
});

test("refusals are GraphErrors with code, request id and date", async () => {
  const address = await mailbox();
  await assert.rejects(client.api(`/users/${address}/messages/AAMkAGVmMDEzMTM4=`).get(), (error) => {
    assert.ok(error instanceof GraphError);
    assert.ok([400, 404].includes(error.statusCode));
    assert.match(error.code, /^Error/);
    assert.match(error.requestId, /^[0-9a-f-]{36}$/);
    assert.ok(error.date instanceof Date && !Number.isNaN(error.date.getTime()));
    assert.ok(error.headers.get("request-id"));
    return true;
  });
  await assert.rejects(client.api("/users/nobody@contoso.example/messages").get(), { statusCode: 404, code: "ErrorInvalidUser" });
  await assert.rejects(client.api("/users/0c3e9d5b-0000-4a7e-9f0d-2b5f5d0f7a11/messages").get(), { statusCode: 404 });
  await assert.rejects(client.api("/me/messages").get(), { statusCode: 400 });
  await assert.rejects(client.api("/nonsense").get(), { statusCode: 400 });
  await assert.rejects(client.api(`/users/${address}/messages`).select("nonsense").get(), { statusCode: 400 });
  await assert.rejects(client.api(`/users/${address}/messages`).version("v9.9").get(), (e) => e.statusCode >= 400 && e.statusCode < 500);
});

test("a void token is InvalidAuthenticationToken", async () => {
  const bad = graph({ getToken: async () => ({ token: "not.a.token", expiresOnTimestamp: Date.now() + 3600e3 }) });
  await assert.rejects(bad.api("/me/messages").get(), { statusCode: 401, code: "InvalidAuthenticationToken" });
});

test("/me with a user's token", async () => {
  const agent = "agent@contoso.example";
  const me = graph(new UsernamePasswordCredential(tenant, publicApp, agent, credentials.users[agent], host));
  const inbox = await me.api("/me/mailFolders/inbox").get();
  assert.equal(inbox.displayName, "Inbox");
  await me.api("/me/sendMail").post({ message: { subject: "Me", toRecipients: [{ emailAddress: { address: agent } }] } });
});
