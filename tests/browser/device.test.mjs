// SPDX-License-Identifier: MIT
//
// Devices: signing in and out, who acts, and who may not.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { call, cardOf, waitFor } from "./servers.mjs";
import { test } from "./test.mjs";

const text = (page, has) => page.getByText(has).first().waitFor();
const cookie = async (page) => (await page.context().cookies()).find((c) => c.name.includes("shipfrom"));

test("a login link signs a device in once", async ({ world, open }) => {
  const { link } = await world.device();
  const page = await open({ signIn: false });
  await page.goto(link);
  assert.equal((await page.context().cookies()).length, 0, "a preview of the link uses nothing up");
  await page.click("#signin");
  await text(page, "Amsterdam, Kalverstraat");
  assert.equal(new URL(page.url()).hash, "", "the code is not left in the address");
  const c = await cookie(page);
  assert.ok(c.httpOnly);
  assert.equal(c.sameSite, "Strict");
  await page.reload();
  await page.waitForSelector("#tab-toAnswer");
  const thief = await open({ signIn: false });
  await thief.goto(link);
  await thief.click("#signin");
  await text(thief, "This link was used already or is too old");
  assert.equal((await thief.context().cookies()).length, 0);
  assert.ok(!world.server.log.join("").includes(link.split("#")[1]), "the code is in no log");
});

for (const [locale, says] of [["en-GB", "Wait 40 s, then"], ["sv-SE", "Vänta 40 s och"]])
  test(`a sign-in that has to wait says for how long (${locale})`, async ({ world, open }) => {
    const { link } = await world.device();
    const page = await open({ signIn: false, locale });
    await page.context().route("**/api/v1/session", (route) => route.fulfill({ status: 429,
      headers: { "Retry-After": "40", "Content-Type": "application/problem+json" }, body: '{"title":"Too Many Requests","status":429,"code":"too_many_failures","detail":"x"}' }));
    await page.goto(link);
    await page.click("#signin");
    await text(page, says);
  });

test("a start that is told to wait after sign-ins that failed asks for a link", async ({ world, open }) => {
  const page = await open({ signIn: false });
  await page.context().route("**/api/v1/me", (route) => route.fulfill({ status: 429,
    headers: { "Retry-After": "300", "Content-Type": "application/problem+json" }, body: '{"title":"Too Many Requests","status":429,"code":"too_many_failures","detail":"x"}' }));
  await page.goto(world.url);
  await text(page, "This device is not signed in");
});

test("a device that is signed out shows nothing any more", async ({ world, open, place }) => {
  const page = await open();
  const n = await place();
  await cardOf(page, n).waitFor();
  const { name, value } = await cookie(page);
  await page.click("#menu");
  await page.click("#signout");
  await page.click("dialog .sure");
  await text(page, "This device is signed out");
  assert.ok(!(await page.content()).includes(String(n)));
  assert.equal((await call(`${world.url}/api/v1/me`, "GET", { headers: { Cookie: `${name}=${value}` } })).status, 401);
  await page.reload();
  await text(page, "This device is not signed in");
});

test("a device that was removed is out within a second", async ({ world, open, place }) => {
  const page = await open();
  const n = await place();
  await cardOf(page, n).waitFor();
  const { name, value } = await cookie(page);
  const id = await world.firstDevice();
  // When the page said so, by its own clock, which is ours.
  const shown = page.evaluateHandle(() => new Promise((done) => {
    const look = () => document.body.innerText.includes("This device is not signed in") && done(Date.now());
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
  }));
  await world.cli("device", "remove", id);
  const done = Date.now();
  await waitFor("no more answers", async () => (await call(`${world.url}/api/v1/me`, "GET", { headers: { Cookie: `${name}=${value}` } })).status === 401, 1000);
  await text(page, "This device is not signed in");
  const ms = await (await shown).jsonValue() - done;
  assert.ok(ms < 2400, `${ms} ms after the command`);
  assert.ok(!(await page.content()).includes(String(n)));
});

test("a shared tablet asks who acts, keeps it, and locks when it was idle", { staff: "Anna, Ben" }, async ({ world, open, place }) => {
  const page = await open({ signIn: false, size: "tablet" });
  await page.clock.install();
  const { token } = await page.enrol();
  const n = await place();
  await cardOf(page, n).locator("[data-part=accept]").click();
  await page.locator("dialog button", { hasText: "Ben" }).click();
  await text(page, `Order ${n} is yours`);
  const { timeline } = (await world.api(token, "GET", `/orders/${n}`)).body;
  assert.match(JSON.stringify(timeline), /Ben/);
  assert.equal(await page.locator("#who").innerText(), "Ben");
  await page.clock.runFor(11 * 60000);
  await text(page, "Who are you?");
  assert.ok(!(await page.locator("#screen").isVisible()), "nothing is to be read");
  await page.keyboard.press("Escape");
  assert.ok(!(await page.locator("#screen").isVisible()));
  await page.locator("dialog button", { hasText: "Anna" }).click();
  await page.locator("#screen").waitFor();
  assert.equal(await page.locator("#who").innerText(), "Anna");
});

// A page of somebody else's, on another port of the same host: the strictest
// cookie is sent along from there.
test("a stranger's page cannot act, nor read", async ({ world, open, place }) => {
  const page = await open();
  const n = await place();
  await cardOf(page, n).locator("[data-part=accept]").waitFor();
  const strangers = createServer((req, res) => {
    res.setHeader("Content-Type", "text/html");
    res.end(req.url === "/form" ? `<form method=post enctype=text/plain action="${world.url}/api/v1/orders/${n}/accept"><input name='{"x":"' value='"}'></form>` : "<p>hello");
  });
  await new Promise((done) => strangers.listen(0, "127.0.0.1", done));
  try {
    const evil = await page.context().newPage();
    const at = `http://127.0.0.1:${strangers.address().port}`;
    await evil.goto(at);
    const did = await evil.evaluate(async ({ url, n }) => {
      const results = [];
      for (const [method, path, mode, type] of [["POST", `/orders/${n}/accept`, "no-cors", "text/plain"], ["POST", `/orders/${n}/accept`, "cors", "application/json"],
        ["POST", `/orders/${n}/reject`, "no-cors", "text/plain"], ["DELETE", "/session", "cors", "text/plain"], ["GET", "/orders", "cors", "text/plain"]]) {
        const r = await fetch(`${url}/api/v1${path}`, { method, mode, credentials: "include", headers: { "Content-Type": type }, body: method === "GET" ? undefined : "{}" })
          .then(async (r) => `${r.type} ${(await r.text()).length}`, (e) => e.name);
        results.push(r);
      }
      const stream = await new Promise((done) => {
        const s = new EventSource(`${url}/api/v1/stream`, { withCredentials: true });
        s.onopen = () => done("open");
        s.onerror = () => done("refused");
      });
      return [...results, stream];
    }, { url: world.url, n });
    assert.deepEqual(did, ["opaque 0", "TypeError", "opaque 0", "TypeError", "TypeError", "refused"]);
    await evil.goto(`${at}/form`);
    await Promise.all([evil.waitForNavigation(), evil.evaluate(() => document.forms[0].submit())]);
    assert.match(await evil.locator("body").innerText(), /origin|403/);
    page.errors.length = 0;   // the stranger's own
  } finally { strangers.close(); }
  const refused = world.server.log.join("").split("\n").filter((l) => l.includes("another page"));
  assert.ok(refused.length > 0, "it came as far as the server, with the cookie");
  await cardOf(page, n).locator("[data-part=accept]").waitFor();
  assert.deepEqual(await world.calls(n, "check-first"), []);
  await page.reload();
  await cardOf(page, n).waitFor();   // and it is still signed in
});

test("an open offer that no screen listens for is in the metrics", async ({ world, open, place }) => {
  const metric = async () => Number(/^shipfrom_open_offers_unwatched (\d+)/m.exec((await call(`${world.server.admin}/metrics`, "GET")).body)?.[1]);
  await place({ warehouses: [3] });
  await waitFor("one unwatched", async () => (await metric()) === 1);
  const page = await open();
  await waitFor("none", async () => (await metric()) === 0);
  await page.context().close();
  await waitFor("one again", async () => (await metric()) === 1);
});
