// What the tests share: the tenant's addresses and secrets, its control door, and clients as an application makes them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ClientSecretCredential } from "@azure/identity";
import { Client } from "@microsoft/microsoft-graph-client";
import { TokenCredentialAuthenticationProvider } from "@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js";

const read = (name) => JSON.parse(readFileSync(join(process.env.TENANT_DIR, name), "utf8"));

export const { origin, control: door, upload_origin: uploadOrigin } = read("control.json");
export const credentials = read("credentials.json");
export const tenant = "8d8a8ab6-5d6f-4b61-8b8b-0f6b3c5d1f10";
export const serviceApp = "e7e4dbfc-046f-4074-9b3b-2ae8f144f59b"; // a secret, roles, a policy that spares the CEO
export const publicApp = "5b1f0c52-9a55-4c52-8a19-74a2cf6f0d22"; // signs users in
export const authority = `${origin}/${tenant}`;
export const scope = `${origin}/.default`;

// For @azure/identity: the host is none of Microsoft's, so it is not to be looked up there.
export const host = { authorityHost: origin, disableInstanceDiscovery: true };

export const credential = () =>
  new ClientSecretCredential(tenant, serviceApp, credentials.apps[serviceApp].secret, host);

// A Graph client with all of its usual middleware.
export function graph(tokens = credential()) {
  return Client.initWithMiddleware({
    authProvider: new TokenCredentialAuthenticationProvider(tokens, { scopes: [scope] }),
    baseUrl: `${origin}/`,
    customHosts: new Set([new URL(origin).hostname]),
  });
}

export async function control(method, path, body) {
  const answer = await fetch(door + path, {
    method,
    headers: { "Content-Type": typeof body === "string" ? "message/rfc822" : "application/json" },
    body: body === undefined || typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

let mailboxes = 0;
// A mailbox of its own for a test, with the service's app allowed in.
export async function mailbox(language = "en") {
  const address = `box${process.pid}-${++mailboxes}@contoso.example`;
  await control("POST", "/users", { upn: address, name: "Box", shared: true, language, tenant });
  await control("POST", `/apps/${serviceApp}/policies`, []);
  return address;
}

export const mime = (subject, more = "", body = "Hello") =>
  `From: Casey <customer@fabrikam.example>\r\nTo: box@contoso.example\r\nSubject: ${subject}\r\n` +
  `Message-ID: <${process.hrtime.bigint()}@fabrikam.example>\r\nDate: Mon, 02 Nov 2026 10:00:00 +0000\r\n` +
  `MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n${more}\r\n${body}\r\n`;

export const arrive = async (address, subject, more, body) =>
  (await control("POST", `/mailboxes/${address}/messages`, mime(subject, more, body))).ids[0];

export async function until(wanted, seconds = 20) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await new Promise((r) => setTimeout(r, 50))) {
    const found = await wanted();
    if (found) return found;
  }
  throw new Error("it never came");
}
