// @azure/identity and MSAL against the embedded Entra: entra-oauth.md sections 1 to 9.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ClientSecretCredential, UsernamePasswordCredential } from "@azure/identity";
import { ConfidentialClientApplication, PublicClientApplication } from "@azure/msal-node";
import { authority, control, credential, credentials, host, origin, publicApp, scope, serviceApp, tenant } from "./support.mjs";

const secret = credentials.apps[serviceApp].secret;
const agent = "agent@contoso.example";
const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
const known = { authority, knownAuthorities: [new URL(origin).host] };

test("identity: a client secret", async () => {
  const token = await credential().getToken(scope);
  assert.ok(token.expiresOnTimestamp > Date.now() + 3_000_000);
  assert.deepEqual(claims(token.token).roles.sort(), ["Mail.ReadWrite", "Mail.Send"]);
  assert.equal(claims(token.token).tid, tenant);
});

test("identity: the tenant by its domain", async () => {
  const token = await new ClientSecretCredential("contoso.example", serviceApp, secret, host).getToken(scope);
  assert.equal(claims(token.token).tid, tenant);
});

test("identity: refusals carry Entra's words", async () => {
  const wrong = new ClientSecretCredential(tenant, serviceApp, "wrong", host);
  await assert.rejects(wrong.getToken(scope), /AADSTS7000215/);
  const nobody = new ClientSecretCredential(tenant, "0c3e9d5b-0000-4a7e-9f0d-2b5f5d0f7a11", secret, host);
  await assert.rejects(nobody.getToken(scope), /AADSTS700016/);
  const nowhere = new ClientSecretCredential("0c3e9d5b-0000-4a7e-9f0d-2b5f5d0f7a11", serviceApp, secret, host);
  await assert.rejects(nowhere.getToken(scope), /AADSTS90002|endpoints_resolution_error|openid_config_error/);
  await assert.rejects(credential().getToken(`${origin}/Mail.Send`), /AADSTS(1002012|70011)/);
});

test("identity: account and password", async () => {
  const user = new UsernamePasswordCredential(tenant, publicApp, agent, credentials.users[agent], host);
  const token = await user.getToken(`${origin}/Mail.ReadWrite`);
  assert.match(claims(token.token).scp, /Mail\.ReadWrite/);
  assert.equal(claims(token.token).upn, agent);
  assert.equal((await user.getToken(`${origin}/Mail.ReadWrite`)).token, token.token); // from its cache
});

test("msal: a client secret, with its cache", async () => {
  const app = new ConfidentialClientApplication({ auth: { clientId: serviceApp, clientSecret: secret, ...known } });
  const first = await app.acquireTokenByClientCredential({ scopes: [scope] });
  assert.equal(first.fromCache, false);
  assert.equal(first.tokenType, "Bearer");
  assert.equal((await app.acquireTokenByClientCredential({ scopes: [scope] })).accessToken, first.accessToken);
  const again = await app.acquireTokenByClientCredential({ scopes: [scope], skipCache: true });
  assert.notEqual(again.accessToken, first.accessToken);
});

test("msal: an error keeps its code and correlation id", async () => {
  const app = new ConfidentialClientApplication({ auth: { clientId: serviceApp, clientSecret: "wrong", ...known } });
  const correlationId = "5b1f0c52-1111-4c52-8a19-74a2cf6f0d22";
  await assert.rejects(app.acquireTokenByClientCredential({ scopes: [scope], correlationId }), (error) => {
    assert.equal(error.errorCode, "invalid_client");
    assert.equal(error.correlationId, correlationId);
    assert.match(error.errorMessage, /7000215.*Trace ID.*Correlation ID: 5b1f0c52-1111.*Timestamp/s);
    assert.equal(String(error.errorNo), "7000215");
    return true;
  });
});

test("msal: account and password, then silently, then by the refresh token", async () => {
  const app = new PublicClientApplication({ auth: { clientId: publicApp, ...known } });
  const scopes = [`${origin}/Mail.ReadWrite`, `${origin}/Mail.Send`];
  const signed = await app.acquireTokenByUsernamePassword({ scopes, username: agent, password: credentials.users[agent] });
  assert.equal(signed.account.username, agent);
  assert.equal(signed.account.tenantId, tenant);
  assert.equal(signed.account.homeAccountId, `${claims(signed.accessToken).oid}.${tenant}`);
  assert.ok(signed.scopes.some((s) => s.endsWith("Mail.Send")));

  const silent = await app.acquireTokenSilent({ scopes, account: signed.account });
  assert.equal(silent.accessToken, signed.accessToken);
  assert.equal(silent.fromCache, true);
  const renewed = await app.acquireTokenSilent({ scopes, account: signed.account, forceRefresh: true });
  assert.notEqual(renewed.accessToken, signed.accessToken);

  const cache = JSON.parse(app.getTokenCache().serialize());
  const [refreshToken] = Object.values(cache.RefreshToken).map((entry) => entry.secret);
  const other = new PublicClientApplication({ auth: { clientId: publicApp, ...known } });
  const refreshed = await other.acquireTokenByRefreshToken({ scopes, refreshToken });
  assert.equal(claims(refreshed.accessToken).upn, agent);
});

test("msal: a wrong password, a disabled account, no consent, a second factor", async () => {
  const app = () => new PublicClientApplication({ auth: { clientId: publicApp, ...known } });
  const scopes = [`${origin}/Mail.ReadWrite`];
  const ceo = "ceo@contoso.example";
  const password = credentials.users[ceo];
  const sign = (more) => app().acquireTokenByUsernamePassword({ scopes, username: ceo, password, ...more });
  await assert.rejects(sign({ password: "wrong" }), (error) => error.errorCode === "invalid_grant" && /50126/.test(error.errorMessage));
  await assert.rejects(sign({ scopes: [`${origin}/Calendars.Read`] }), (error) => /65001/.test(error.errorMessage) && error.subError === "consent_required");
  await control("PATCH", `/users/${ceo}`, { mfa: true });
  await assert.rejects(sign({}), (error) => /50076/.test(error.errorMessage) && error.subError === "basic_action");
  await control("PATCH", `/users/${ceo}`, { mfa: false, enabled: false });
  await assert.rejects(sign({}), /50057/);
  await control("PATCH", `/users/${ceo}`, { enabled: true });
  await assert.rejects(sign({ username: "nobody@contoso.example" }), /50034/);
});
