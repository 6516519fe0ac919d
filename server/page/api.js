// api.js - the calls to the server, all of them in openapi.yaml.

export const session = { csrf: "", me: null, staff: "" };

let out = () => {};
// `f` is called when the server does not know this device any more.
export const whenOut = (f) => { out = f; };

// Resolves with {status, body, retryAfter}; status 0: no response came, and it may
// have happened.
export async function once(method, path, body, key, ms = 20000) {
  const headers = {}, asked = session.me;
  if (method !== "GET") {
    headers["X-CSRF-Token"] = session.csrf;
    headers["Content-Type"] = "application/json";
    if (key) headers["Idempotency-Key"] = key;
  }
  const end = new AbortController(), timer = setTimeout(() => end.abort(), ms);
  try {
    const r = await fetch(path, { method, headers, body: body && JSON.stringify(body), signal: end.signal, cache: "no-store" });
    const text = await r.text();
    if (r.status === 401 && asked && asked === session.me) out();
    return { status: [502, 504].includes(r.status) ? 0 : r.status, body: text && JSON.parse(text), retryAfter: Number(r.headers.get("Retry-After")) };
  } catch {
    return { status: 0 };
  } finally {
    clearTimeout(timer);
  }
}

// As once(), and again when the server says, where this device asks too often.
export async function call(...what) {
  const { me } = session;
  for (let left = 9; ; left--) {
    const r = await once(...what);
    if (r.body?.code !== "too_many_requests" || !left || me !== session.me) return r;
    await new Promise((done) => setTimeout(done, r.retryAfter * 1000));
  }
}

// Without https there is no randomUUID.
export const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");

// Who this page acts for.  If another tab has signed the browser in anew, the
// server does nothing (409 misdirected).
export const actsFor = () => ({ device: session.me.device.id, shop: session.me.shop.id, instance: session.me.instance });

export const post = (n, verb, body, key = newKey(), by = call) => by("POST", `/api/v1/orders/${n}/${verb}`, { for: session.me ? actsFor() : undefined, ...body }, key);

// null: it cannot be read now.
export async function all(state) {
  const orders = [];
  let cursor = "";
  do {
    const r = await call("GET", `/api/v1/orders?state=${state}&limit=200${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    if (r.status !== 200) return null;
    orders.push(...r.body.orders);
    cursor = r.body.cursor;
  } while (cursor && orders.length < 2000);
  return orders;
}
