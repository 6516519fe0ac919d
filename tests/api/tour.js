// SPDX-License-Identifier: MIT
//
// tour.js - brings the server to give each answer that it describes.

import { createHmac } from "node:crypto";
import { call, SECRET } from "./servers.js";

export function signed(body, { t = Math.floor(Date.now() / 1000),
  secret = SECRET } = {}) {
  const v1 = createHmac("sha256", secret).update(`${t}.${body}`).digest("hex");
  return {
    headers: {
      "Content-Type": "application/x-www-form-urlencoded",
      "Content-Length": Buffer.byteLength(body),
      "X-Centra-Signature": `t=${t},v1=${v1}`,
    },
    body,
  };
}

const form = (payload) =>
  `payload=${encodeURIComponent(JSON.stringify(payload))}`;

const customer = (id, data) => form({ events: [{ type: "customer",
  action: "update", date: "2026-01-11 16:21:00.552288", id, data }] });

const PRESSES = ["accept", "reject", "problem", "solved", "stopped", "ship"];

export class Tour {
  constructor(ask, centra, server) {
    this.ask = ask; // as call(), of the server, recorded
    this.centra = centra;
    this.server = server;
    this.token = Object.fromEntries(["stockholm", "amsterdam", "berlin"]
      .map((shop) => [shop, server.deviceAdd(shop)]));
  }

  as(shop, method, path, body) {
    const headers = { Authorization: `Bearer ${this.token[shop]}` };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    return this.ask(method, path, { headers, body });
  }

  // A device may not act too often: then it waits as long as it is told.
  async press(shop, number, verb, body) {
    for (;;) {
      const r = await this.as(shop, "POST",
        `/api/v1/orders/${number}/${verb}`, body);
      if (r.status !== 429) return r;
      await new Promise((done) =>
        setTimeout(done, 1000 * r.headers["retry-after"]));
    }
  }

  // It cannot be shipped after all; and it can again.
  async troubles(shop, number) {
    await this.press(shop, number, "problem", '{"reason":"lost"}');
    await this.press(shop, number, "solved", "{}");
  }

  // Asks until the shop sees the order in the state.
  async until(shop, number, state, also = () => true) {
    let last;
    for (const end = Date.now() + 15000; Date.now() < end;) {
      last = await this.as(shop, "GET", `/api/v1/orders/${number}`);
      if (last.status === 200 && last.body.state === state && also(last.body))
        return last;
      await new Promise((r) => setTimeout(r, 50));
    }
    throw new Error(`order ${number} of ${shop} is ${last.body.state}, ` +
      `not ${state}`);
  }

  async offered(shop = "stockholm") {
    const { number } = await this.centra.control("/orders", {});
    // Fetched too, so that no look of ours is still on its way.
    await this.until(shop, number, "pending", (o) => o.lines_known);
    return number;
  }

  faults(count) {
    return this.centra.control("/faults", count
      ? { api: "order", kind: "500", when: "before", count }
      : { clear: true });
  }

  async webhooks() {
    const path = "/webhooks/centra/se";
    const good = customer(1);
    await this.ask("POST", path, signed(good));
    await this.ask("POST", path, signed(good));
    await this.ask("POST", path, signed(form({ events: [{ type: 7 }] })));
    await this.ask("POST", path, signed(form({ products: ["52"] })));
    await this.ask("POST", path, signed("no form"));
    await this.ask("POST", "/webhooks/centra/xx", signed(good));
    await this.ask("POST", path, { body: good,
      headers: { "Content-Length": good.length } });
    await this.ask("POST", path, { body: good, headers: {
      ...signed(good).headers, "X-Centra-Signature": "t=x" } });
    await this.ask("POST", path, signed(good, { secret: "another" }));
    await this.ask("POST", path, signed(good, { t: 12345678 }));
    const chunked = { ...signed(good).headers, "Transfer-Encoding": "chunked" };
    delete chunked["Content-Length"];
    await this.ask("POST", path, { body: good, headers: chunked });
    await this.ask("POST", path, signed(`payload=${"x".repeat(5 << 20)}`));
    await this.ask("GET", path);
  }

  async strangers() {
    const wrong = { headers: { Authorization: `Bearer ${"A".repeat(43)}` } };
    for (const with_ of [{}, wrong]) {
      await this.everyRoute(with_);
      await this.ask("POST", "/api/v1/session", { ...with_,
        body: JSON.stringify({ code: "A".repeat(43) }) });
    }
    await this.ask("GET", "/nothing/here");
    await this.ask("DELETE", "/healthz");
  }

  // A device whose shop is no longer in the configuration.
  async closedShop() {
    const token = this.server.deviceAdd("closed");
    const body = JSON.stringify({ code: this.server.loginCode("closed") });
    const with_ = { headers: { Authorization: `Bearer ${token}` } };
    await this.ask("GET", "/api/v1/me", with_);
    this.server.closeShop();
    for (const end = Date.now() + 10000; Date.now() < end;) {
      const r = await this.ask("GET", "/api/v1/me", with_);
      if (r.status === 401) break;
      await new Promise((r2) => setTimeout(r2, 50));
    }
    await this.everyRoute(with_);
    await this.ask("POST", "/api/v1/session", { body });
  }

  // An address, a header and a body that are too long; an escape that is none.
  async limits() {
    await this.ask("GET", `/${"a".repeat(3000)}`);
    await this.ask("GET", "/healthz", { headers: Object.fromEntries(
      Array.from({ length: 70 }, (_, i) => [`X-${i}`, "1"])) });
    await this.ask("GET", "/healthz", { body: "x" });
    await this.ask("GET", "/healthz%zz");
  }

  // Berlin has a list of names.
  async staff() {
    for (const verb of PRESSES)
      for (const body of ["{}", '{"staff":"Carl"}'])
        await this.press("berlin", 19, verb, body);
  }

  // What a screen is sent while an order is offered.
  async stream() {
    const heard = this.ask("GET", "/api/v1/stream", {
      headers: { Authorization: `Bearer ${this.token.stockholm}` },
      first: (text) => /event: order\n[^]*\n\n/.test(text) });
    await this.offered();
    await heard;
  }

  // The shop's own Order API, with its key and without.
  async orderApi() {
    const base = "/order-api/stockholm";
    const key = this.server.keyAdd("stockholm");
    const n = "99999999-1";
    const calls = [["GET", "/shipments"], ["GET", "/orders?order=99999999"],
      ["GET", "/products?ean=1"], ["GET", "/stock?ean=1"],
      ["GET", "/allocation-requests?status=all"],
      ["PUT", "/allocation-request", '{"id":99999999,"status":"confirmed"}'], ["POST", "/stock", '{"products":[{"product":"7300555000024","quantity":4}]}'],
      ["DELETE", `/shipments/${n}`],
      ["PUT", `/shipments/${n}`, '{"products":{"1":1}}'],
      ["PUT", "/capture", `{"shipment":"${n}"}`],
      ["PUT", "/shipment", `{"shipment":"${n}","shipped":1}`],
      ["POST", "/check-first",
        '{"orderNumber":99999999,"warehouseId":2,"accepted":true}']];
    for (const [method, path, body] of calls)
      for (const headers of [{}, { "API-Authorization": key }])
        await this.ask(method, base + path, { body, headers: body ?
          { ...headers, "Content-Type": "application/json" } : headers });
  }

  // What the shop's own system ships, its staff cannot.
  async systemShips() {
    this.token.antwerp = this.server.deviceAdd("antwerp");
    const { number } = await this.centra.control("/orders",
      { warehouses: [8] });
    await this.until("antwerp", number, "pending");
    await this.press("antwerp", number, "ship", '{"carrier":"PostNord"}');
  }

  // Each route of devices.
  async everyRoute(with_) {
    for (const path of ["me", "orders", "orders/19", "report", "products?ean=1", "stock?ean=1", "stock/results", "stream",
      "returns?order=1", "deliveries", "deliveries/1"])
      await this.ask("GET", `/api/v1/${path}`, with_);
    for (const path of ["returns", "deliveries/1/receive"])
      await this.ask("POST", `/api/v1/${path}`, with_);
    for (const verb of PRESSES)
      await this.ask("POST", `/api/v1/orders/19/${verb}`, with_);
    await this.ask("PUT", "/api/v1/stock", { ...with_, body: "{}" });
    await this.ask("DELETE", "/api/v1/session", with_);
  }

  // A browser: its cookie, what only our page knows, and what others lack.
  async session() {
    const origin = "http://127.0.0.1:8080"; // public_url's default
    const body = JSON.stringify({ code: this.server.loginCode("stockholm") });
    const path = "/api/v1/session";
    await this.ask("POST", path, { body, headers: { Origin: "http://x.y" } });
    const r = await this.ask("POST", path, { body, headers: { Origin: origin } });
    const cookie = r.headers["set-cookie"][0].split(";")[0];
    await this.ask("POST", path, { body });
    const mine = { Cookie: cookie, "X-CSRF-Token": r.body.csrf };
    await this.ask("GET", "/api/v1/me", { headers: mine });
    const foreign = { ...mine, Origin: "https://elsewhere.example.com" };
    for (const headers of [{ Cookie: cookie }, foreign]) {
      for (const verb of PRESSES)
        await this.ask("POST", `/api/v1/orders/19/${verb}`, { headers });
      await this.ask("PUT", "/api/v1/stock", { headers, body: "{}" });
      for (const what of ["returns", "deliveries/1/receive"])
        await this.ask("POST", `/api/v1/${what}`, { headers, body: "{}" });
      await this.ask("DELETE", path, { headers });
    }
    await this.ask("DELETE", path,
      { headers: { Authorization: `Bearer ${this.token.stockholm}` } });
    await this.ask("GET", "/api/v1/stream?screen=1",
      { headers: mine, first: true });
    await this.ask("DELETE", path, { headers: { ...mine, Origin: origin } });
  }

  async page() {
    const r = await this.ask("GET", "/");
    await this.ask("GET", "/",
      { headers: { "If-None-Match": r.headers.etag } });
    for (const path of ["/login", "/page/main.js", "/page/none.js", "/sw.js",
      "/manifest.webmanifest"])
      await this.ask("GET", path);
  }

  // A key is for one request only; a problem; a stop.
  async keys() {
    const n = await this.offered();
    const headers = { Authorization: `Bearer ${this.token.stockholm}`,
      "Idempotency-Key": "one" };
    const path = (verb) => `/api/v1/orders/${n}/${verb}`;
    await this.ask("POST", path("accept"), { headers, body: "{}" });
    await this.ask("POST", path("accept"), { headers, body: "{}" });
    for (const verb of PRESSES)
      await this.ask("POST", path(verb), { headers,
        body: '{"reason":"damaged","carrier":"PostNord"}' });
    for (const verb of PRESSES)
      await this.press("stockholm", n, verb, "[]");
    for (const verb of PRESSES)
      await this.press("stockholm", n, verb, '{"for":{"shop":"amsterdam"}}');
    await this.press("stockholm", n, "problem",
      '{"reason":"lost","staff":"Anna"}');
    await this.as("stockholm", "GET", path("").slice(0, -1));
    await this.press("stockholm", n, "solved", '{"staff":"Ben"}');
    await this.centra.control(`/orders/${n}/cancel`, {});
    await this.until("stockholm", n, "cancelled");
    await this.press("stockholm", n, "stopped");
    for (const since of ["today", "2020-01-01T00:00:00Z", "never"])
      await this.as("stockholm", "GET", `/api/v1/report?since=${since}`);
    for (const q of ["state=done&since=24h", "since=24h", "state=done&since=x"])
      await this.as("stockholm", "GET", `/api/v1/orders?${q}`);
  }

  // Counts of stock, and what became of them.
  async counting() {
    const put = (body) => this.as("stockholm", "PUT", "/api/v1/stock", body);
    const ago = (s) => new Date(Date.now() - 1000 * s).toISOString();
    const item = (n) => ({ ean: `59011441${n}`, quantity: 0 });
    await put(JSON.stringify({ items: [{ ean: "5901144123590", quantity: 4 },
      { sku: "RTT-OWH-S", quantity: 0 }], counted_at: ago(60) }));
    await put(JSON.stringify({ items: [{ ean: "5901144123590", quantity: 5 }],
      counted_at: ago(120) }));
    await put("[]");
    await put(JSON.stringify({ items: [{ ean: "1", quantity: 1 }],
      counted_at: "2999-11-30T17:45:00+01:00" }));
    await put(JSON.stringify({ items: [...Array(21).keys()].map(item) }));
    await put("x".repeat(300000));
    await put(JSON.stringify({ items: [{ ean: "1", quantity: 1 }], for: { shop: "berlin" } }));
    await this.as("berlin", "PUT", "/api/v1/stock", JSON.stringify({
      items: [{ ean: "1", quantity: 1 }], staff: "Carl" }));
    for (const q of ["", "?ean=5901144123590", "?ean=1", "?limit=0",
      "?result=waiting&limit=1"])
      await this.as("stockholm", "GET", `/api/v1/stock/results${q}`);
  }

  async reading() {
    await this.as("stockholm", "GET", "/api/v1/me");
    for (let i = 0; i < 3; i++) await this.offered();
    let list = await this.as("stockholm", "GET", "/api/v1/orders?limit=2");
    if (list.body.orders.length !== 2 || !list.body.cursor)
      throw new Error("a page of two of three orders has no cursor");
    list = await this.as("stockholm", "GET",
      `/api/v1/orders?cursor=${encodeURIComponent(list.body.cursor)}`);
    if (list.body.orders.length !== 1 || list.body.cursor !== null)
      throw new Error("the second page is not the last one");
    for (const q of ["state=open", "state=mine", "state=done"])
      await this.as("stockholm", "GET", `/api/v1/orders?${q}`);
    for (const q of ["state=all", "limit=0", "limit=201", "cursor=x"])
      await this.as("stockholm", "GET", `/api/v1/orders?${q}`);
    for (const n of ["999999", "x", "99999999999999999999"]) {
      await this.as("stockholm", "GET", `/api/v1/orders/${n}`);
      await this.press("stockholm", n, "accept");
      await this.press("stockholm", n, "reject");
      await this.troubles("stockholm", n);
      await this.press("stockholm", n, "solved");
      await this.press("stockholm", n, "stopped");
    }
  }

  // The page showed an older order; then the one that there is.
  async changed() {
    const n = await this.offered();
    await this.press("stockholm", n, "accept", '{"version":"0123456789abcdef"}');
    const r = await this.as("stockholm", "GET", `/api/v1/orders/${n}`);
    await this.press("stockholm", n, "accept",
      JSON.stringify({ version: r.body.version }));
    await this.press("stockholm", n, "solved", "{}");
  }

  // An allocation request to two shops at once, whose time passes first.
  async requested() {
    const { number: n } = await this.centra.control("/orders",
      { requests: [{ warehouse: 2 }, { warehouse: 3 }] });
    await this.centra.control("/settings", { timed_out_webhooks: true });
    await this.until("stockholm", n, "pending", (o) => o.lines_known &&
      o.kind === "allocation_request" && !o.late);
    await this.centra.control(`/orders/${n}/expire`, {});
    await this.until("stockholm", n, "pending", (o) => o.late && o.expired);
    await this.press("stockholm", n, "accept");
    await this.until("amsterdam", n, "taken");
    await this.press("amsterdam", n, "accept");
  }

  // Accepted by one; what the others, and a second thought, are told.
  async taken() {
    const n = await this.offered();
    await this.troubles("stockholm", n);
    await this.until("amsterdam", n, "pending");
    await this.press("stockholm", n, "accept");
    await this.press("stockholm", n, "reject");
    await this.until("amsterdam", n, "taken");
    await this.press("amsterdam", n, "accept");
    await this.press("amsterdam", n, "reject");
    await this.troubles("amsterdam", n);
    for (const end = Date.now() + 15000; Date.now() < end;) {
      const r = await this.as("stockholm", "GET", `/api/v1/orders/${n}`);
      if (r.body.ship_to) return;
      await new Promise((r2) => setTimeout(r2, 50));
    }
    throw new Error("an accepted order never got its address");
  }

  // An order that the shop has accepted, with its address.
  async won(shop = "stockholm") {
    const n = await this.offered(shop);
    await this.press(shop, n, "accept");
    for (const end = Date.now() + 15000; Date.now() < end;) {
      const r = await this.as(shop, "GET", `/api/v1/orders/${n}`);
      if (r.body.ship_to) return n;
      await new Promise((r2) => setTimeout(r2, 50));
    }
    throw new Error(`order ${n} never got its address`);
  }

  // Shipping, with all that may come between.
  async shipping() {
    const ship = (n, body) => this.press("stockholm", n, "ship",
      typeof body === "string" ? body : JSON.stringify(body));
    const parcel = { carrier: "PostNord", tracking: "SE1", staff: "Anna" };
    const settings = (what) => this.centra.control("/settings", what);
    let n = await this.offered();
    await ship(n, parcel);
    await ship(999999, parcel);
    n = await this.won();
    for (const body of ["[]", "{}", { carrier: "x", note: "y".repeat(70000) },
      { ...parcel, lines: [{ line_id: 7, quantity: 1 }] },
      { ...parcel, version: "0123456789abcdef" }])
      await ship(n, body);
    await this.centra.control(`/orders/${n}/allocate`,
      { hold: "WAITING_FOR_PAYMENT" });
    await ship(n, parcel);
    await this.centra.control(`/orders/${n}/allocate`, { hold: "" });
    await settings({ empty_allocations: 100 });
    await ship(n, parcel);
    await settings({ empty_allocations: 0 });
    await settings({ capture: "fail" });
    await ship(n, parcel);
    await settings({ capture: "pending" });
    await ship(n, parcel);
    await this.as("stockholm", "GET", `/api/v1/orders/${n}`);
    await ship(n, { carrier: "DHL" });
    await settings({ capture: "ok" });
    n = await this.won();
    const headers = { Authorization: `Bearer ${this.token.stockholm}`,
      "Idempotency-Key": "parcel" };
    for (const body of [parcel, parcel, { carrier: "DHL" }])
      await this.ask("POST", `/api/v1/orders/${n}/ship`,
        { headers, body: JSON.stringify(body) });
    await ship(n, { carrier: "DHL" });
    await this.as("stockholm", "GET", `/api/v1/orders/${n}`);
    n = await this.won();
    await settings({ refuse_complete: "The carrier is unknown." });
    await ship(n, parcel);
    await settings({ refuse_complete: "" });
    n = await this.won();
    await this.centra.control(`/orders/${n}/cancel`, {});
    await this.until("stockholm", n, "cancelled");
    await ship(n, parcel);
  }

  // What is shipped has no problem any more.
  async afterwards() {
    const n = await this.offered();
    const order = `/api/v1/orders/${n}`;
    const headers = { Authorization: `Bearer ${this.token.stockholm}` };
    await this.press("stockholm", n, "accept");
    for (const end = Date.now() + 15000; Date.now() < end;) {
      await call(this.server.url, "POST", `${order}/ship`,
        { headers, body: '{"carrier":"PostNord"}' });
      const r = await this.as("stockholm", "GET", order);
      if (r.body.shipment?.shipped_at) break;
      await new Promise((r2) => setTimeout(r2, 100));
    }
    await this.troubles("stockholm", n);
  }

  async ended() {
    for (const [verb, state] of [["expire", "timed_out"],
      ["cancel", "cancelled"]]) {
      const n = await this.offered();
      await this.centra.control(`/orders/${n}/${verb}`, {});
      await this.until("stockholm", n, state);
      await this.press("stockholm", n, "accept");
      await this.press("stockholm", n, "reject");
      await this.troubles("stockholm", n);
    }
  }

  async rejected() {
    const n = await this.offered();
    await this.press("stockholm", n, "reject", "not JSON");
    await this.press("stockholm", n, "reject", '{"reason":"bored"}');
    await this.press("stockholm", n, "reject",
      JSON.stringify({ note: "x".repeat(20000) }));
    await this.press("stockholm", n, "reject",
      '{"reason":"damaged","note":"a stain"}');
    await this.press("stockholm", n, "reject");
    await this.press("stockholm", n, "accept");
    await this.troubles("stockholm", n);
  }

  // Answered for this shop, but not by it.
  async elsewhere() {
    for (const [verb, press] of [["reject", "accept"], ["accept", "reject"]]) {
      const n = await this.offered();
      await this.centra.control(`/orders/${n}/${verb}`, { warehouse: 2 });
      await this.until("stockholm", n, `${verb}ed`);
      await this.press("stockholm", n, press);
    }
  }

  // Centra cannot be told: 202, and the opposite is refused.
  async underWay() {
    for (const [verb, other] of [["reject", "accept"],
      ["accept", "reject"]]) {
      const n = await this.offered();
      await this.faults(1000);
      await this.press("stockholm", n, verb);
      await this.press("stockholm", n, other);
      await this.troubles("stockholm", n);
      await this.faults(0);
      await this.until("stockholm", n, `${verb}ed`);
    }
  }

  // The asking ended in Centra and we have not heard of it.
  async refused() {
    const n = await this.offered();
    await this.centra.control("/hooks", { paused: true });
    await this.centra.control(`/orders/${n}/resume`, {});
    await this.press("stockholm", n, "accept");
    await this.troubles("stockholm", n);
    await this.press("stockholm", n, "reject");
    await this.centra.control("/hooks", { paused: false });
  }

  // What is this, and how many are there: while Centra answers, and not.
  async goods() {
    const ean = "7350000000123";
    await this.centra.control("/stock", { ean, sku: "RTT-OWH-S",
      product: "Rain coat", size: "S", warehouse: 2, quantity: 7 });
    for (const what of ["products", "stock"]) {
      for (const q of [`ean=${ean}`, "sku=RTT-OWH-S", "ean=0", `ean=${ean}&sku=1`])
        await this.as("stockholm", "GET", `/api/v1/${what}?${q}`);
    }
    for (const [api, what] of [["order", "products"], ["graphql", "stock"]]) {
      await this.centra.control("/faults", { api, kind: "500", count: 1 });
      await this.as("stockholm", "GET", `/api/v1/${what}?ean=${ean}`);
    }
    await this.faults(0);
    await this.centra.control("/settings", { unticked: ["products"] });
    await this.as("stockholm", "GET", `/api/v1/products?ean=${ean}`);
    await this.centra.control("/settings", { unticked: [] });
    await this.centra.control("/settings",
      { denied: ["ProductSize.stock:read"] });
    await this.as("stockholm", "GET", `/api/v1/stock?ean=${ean}`);
    await this.centra.control("/settings", { denied: [] });
    // Too slow, and so too many at once.
    for (const api of ["order", "graphql"])
      await this.centra.control("/faults",
        { api, kind: "slow", ms: 4000, percent: 100 });
    for (const what of ["products", "stock"]) {
      // Fewer than a device may have waiting, and more than the room takes.
      await Promise.all(Array.from({ length: 60 }, (_, i) =>
        this.as(i % 2 ? "stockholm" : "amsterdam", "GET",
          `/api/v1/${what}?ean=${ean}`)));
    }
    await this.faults(0);
  }

  // Goods that come back, and deliveries.
  async counter() {
    const as = (method, path, body, key) => this.ask(method, `/api/v1/${path}`, {
      body: body && JSON.stringify(body), headers: {
        Authorization: `Bearer ${this.token.stockholm}`,
        ...(body && { "Content-Type": "application/json" }),
        ...(key && { "Idempotency-Key": key }) } });
    const until = async (ask) => {
      for (let i = 0; i < 100; i++) {
        const r = await ask();
        if (r.status !== 202 && r.status !== 503) return r;
      }
      throw new Error("it never ended");
    };
    await this.centra.control("/hooks", { paused: true });
    const { number: n } = await this.centra.control("/orders",
      { warehouses: [], lines: [{ quantity: 2 }] });
    await this.centra.control(`/orders/${n}/shipped`, {});
    const { body } = await as("GET", `returns?order=${n}`);
    for (const q of ["returns?order=x", "returns?order=999999999"])
      await as("GET", q);
    await this.as("amsterdam", "GET", `/api/v1/returns?order=${n}`);
    const back = (quantity, more) => ({ order: n, restock: true, ...more, lines:
      [{ line_id: body.lines[0].line_id, quantity, reason: "too_small" }] });
    await as("POST", "returns", {});
    await this.as("amsterdam", "POST", "/api/v1/returns", "{}");
    await this.as("stockholm", "POST", "/api/v1/returns", "x".repeat(300000));
    for (const body of ["{}", '{"staff":"Carl"}'])
      for (const path of ["returns", "deliveries/1/receive"])
        await this.as("berlin", "POST", `/api/v1/${path}`, body);
    await as("POST", "returns", back(1, { for: { shop: "berlin" } }));
    await until(() => as("POST", "returns", back(3)));
    await until(() => as("POST", "returns", back(1, { order: 999999999 })));
    await until(() => as("POST", "returns", { ...back(1), lines:
      [{ line_id: 1, quantity: 1, reason: "other" }] }));
    await this.centra.control("/settings", { refuse_return: "No." });
    await until(() => as("POST", "returns", back(2)));
    await this.centra.control("/settings", { refuse_return: "" });
    await this.centra.control("/faults", { api: "graphql", kind: "slow",
      ms: 9500, when: "before", what: "createReturn" });
    await as("POST", "returns", back(1), "back");
    await until(() => as("POST", "returns", back(1), "back"));
    await as("POST", "returns", back(2), "back");
    await as("GET", `returns?order=${n}`);
    await this.centra.control("/plugins",
      [{ name: "counter", key: "counter-key", warehouse: 2 }]);
    const announce = async () => (await this.centra.control("/deliveries",
      [{ warehouse: 2, products: [{ ean: "7350000000123", sku: "RTT-OWH-S",
        quantity: 5 }] }])).ids[0];
    const id = await announce(), other = await announce();
    const came = (quantity, ean = "7350000000123") =>
      ({ items: [{ ean, quantity }] });
    for (const path of ["deliveries", `deliveries/${id}`, "deliveries/999999"])
      await as("GET", path);
    await this.as("amsterdam", "GET", "/api/v1/deliveries");
    await as("POST", `deliveries/${id}/receive`, {});
    await this.as("amsterdam", "POST", `/api/v1/deliveries/${id}/receive`, "{}");
    await this.as("stockholm", "POST", `/api/v1/deliveries/${id}/receive`,
      "x".repeat(300000));
    await as("POST", `deliveries/${id}/receive`,
      { ...came(1), for: { shop: "berlin" } });
    await until(() => as("POST", "deliveries/999999/receive", came(1)));
    await until(() => as("POST", `deliveries/${id}/receive`, came(1, "8")));
    await this.centra.control("/faults", { api: "order", kind: "slow",
      ms: 9500, when: "before", what: "receive" });
    await as("POST", `deliveries/${id}/receive`, came(3), "came");
    await until(() => as("POST", `deliveries/${id}/receive`, came(3), "came"));
    await as("POST", `deliveries/${id}/receive`, came(4), "came");
    await as("POST", `deliveries/${id}/receive`, came(4));
    await as("GET", `deliveries/${other}`);
    for (const api of ["order", "graphql"])
      await this.centra.control("/faults",
        { api, kind: "slow", ms: 4000, percent: 100 });
    for (const path of ["deliveries", "deliveries/1", `returns?order=${n}`])
      await Promise.all(Array.from({ length: 40 }, () => as("GET", path)));
    await this.faults(0);
    await this.centra.control("/hooks", { paused: false });
  }

  async operation(admin) {
    await this.ask("GET", "/healthz");
    await this.ask("GET", "/readyz");
    await this.ask("GET", "/openapi.yaml");
    await this.ask("GET", "/metrics", {}, admin);
    await this.ask("GET", "/refused", {}, admin);
    await this.ask("POST", "/refused/retry", {}, admin);
  }

  // The last: from now on this address is told to wait.
  async guessing() {
    for (let i = 0; i < 200; i++) {
      const r = await this.ask("GET", "/api/v1/me",
        { headers: { Authorization: "Bearer guessed" } });
      if (r.status === 429) return;
    }
    throw new Error("guessing went on for ever");
  }
}

// Fills a small store until it says so.
export async function fill(ask) {
  const data = "x".repeat(60000);
  for (let i = 0; i < 500; i++) {
    const r = await ask("POST", "/webhooks/centra/se",
      signed(customer(i + 1, { note: data })));
    if (r.status === 503) return ask("GET", "/readyz");
  }
  throw new Error("the store never filled");
}
