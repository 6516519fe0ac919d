// SPDX-License-Identifier: MIT
//
// contract.js - is an answer one that openapi.yaml describes?
//
// Stricter than a client should be: a member that is not described is an
// error, so that the description cannot fall behind.

import { readFileSync } from "node:fs";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { parse } from "yaml";

export class Contract {
  constructor(file) {
    this.api = parse(readFileSync(file, "utf8"));
    this.ajv = new Ajv2020({ allErrors: true, strict: false });
    addFormats(this.ajv);
    this.general = new Set(this.api["x-any-route"]
      .map(({ status, code }) => `${status} ${code}`));
    this.problem = this.ajv.compile(this.closed(
      this.api.components.schemas.Problem));
    this.routes = [];
    for (const [path, item] of Object.entries(this.api.paths))
      for (const [method, op] of Object.entries(item))
        if (["get", "post", "put", "delete", "patch"].includes(method))
          this.routes.push(this.route(method.toUpperCase(), path, op));
  }

  route(method, path, op) {
    const pattern = new RegExp(`^${path.replace(/[.]/g, "\\.")
      .replace(/\{\w+\}/g, "[^/]+")}$`);
    const answers = new Map();
    for (const [status, ref] of Object.entries(op.responses)) {
      const types = this.resolve(ref).content;
      if (!types) // 204, 304: there is no body
        answers.set(status, { type: "", codes: [null], valid: (b) => !b });
      for (const [type, { schema, "x-events": events }] of
        Object.entries(types ?? {}))
        answers.set(status, {
          type,
          codes: this.codes(schema),
          valid: this.ajv.compile(this.closed(schema)),
          events: new Map(Object.entries(events ?? {}).map(([k, e]) =>
            [k, this.ajv.compile(this.closed(e.data))])),
        });
    }
    return { method, path, pattern, answers };
  }

  resolve(v) {
    return v?.$ref
      ? v.$ref.slice(2).split("/").reduce((at, k) => at[k], this.api)
      : v;
  }

  // The `code`s that a problem's schema allows, or [null] of other answers.
  codes(schema) {
    const s = this.resolve(schema);
    for (const part of s.allOf ?? []) {
      const code = this.resolve(part).properties?.code;
      if (code?.const) return [code.const];
      if (code?.enum && part.properties) return code.enum;
    }
    return s.properties?.code?.const ? [s.properties.code.const]
      : [null];
  }

  // The schema with every reference in its place and every object closed.
  closed(schema, part = false) {
    const s = { ...this.resolve(schema) };
    for (const k of ["allOf", "oneOf", "anyOf"])
      if (s[k]) s[k] = s[k].map((v) => this.closed(v, k === "allOf"));
    if (s.items) s.items = this.closed(s.items);
    if (s.properties)
      s.properties = Object.fromEntries(Object.entries(s.properties)
        .map(([k, v]) => [k, this.closed(v, part && k === "state")]));
    if (!part && (s.properties || s.allOf)) s.unevaluatedProperties = false;
    return s;
  }

  // Every answer described: "POST /path 409 taken".
  described() {
    const all = [];
    for (const r of this.routes)
      for (const [status, a] of r.answers)
        all.push(...a.codes.map((code) => name(r, status, code)),
          ...[...a.events?.keys() ?? []].map((e) => eventName(r, e)));
    return [...all, ...[...this.general].map((g) => `any route ${g}`)];
  }

  // The codes that Problem lists and no answer has.
  idleCodes() {
    const used = new Set(this.described().map((d) => d.split(" ").pop()));
    return this.api.components.schemas.Problem.properties.code.enum
      .filter((code) => !used.has(code));
  }

  // Server-sent events, those that are whole: [{event, data, id}].
  static events(text) {
    return text.split("\n\n").slice(0, -1).map((block) =>
      Object.fromEntries(block.split("\n").filter((l) => l && l[0] !== ":")
        .map((l) => [l.slice(0, l.indexOf(":")), l.slice(l.indexOf(":") + 2)])));
  }

  // {seen, problems} of the events that came by a route.
  checkEvents(route, known, text) {
    const seen = [], problems = [];
    for (const { event, data, id } of Contract.events(text)) {
      const valid = known.get(event);
      if (!valid) problems.push(`the event ${event} is not described`);
      else if (!id) problems.push(`${event} without an id`);
      else if (!valid(JSON.parse(data)))
        problems.push(...valid.errors.map((e) =>
          `${event} ${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`));
      else seen.push(eventName(route, event));
    }
    return { seen, problems };
  }

  // {seen: which described answers it is, problems: [...]}
  check({ method, path, status, type, headers, body }) {
    const bare = path.split("?")[0];
    const route = this.routes.find((r) => r.method === method &&
      r.pattern.test(bare));
    const code = type === "application/problem+json" ? body.code : null;
    const general = this.general.has(`${status} ${code}`);
    const a = route?.answers.get(String(status));
    const problems = [];

    if (status === 405 && !headers.allow) problems.push("405 without Allow");
    if ([429, 503].includes(status) && !headers["retry-after"])
      problems.push(`${status} without Retry-After`);
    if (code !== null && body.status !== status)
      problems.push(`body says status ${body.status}`);
    if (!a || !(a.codes.includes(code) || a.codes.includes(null))) {
      if (!general) problems.push("this answer is not described");
      else if (!this.problem(body))
        problems.push(...this.problem.errors.map((e) => e.message));
      return { seen: general ? [`any route ${status} ${code}`] : [], problems };
    }
    if (a.type && type !== a.type && a.type !== "*/*") problems.push(`type ${type}, described as ${a.type}`);
    else if (!a.valid(body))
      problems.push(...a.valid.errors.map((e) =>
        `${e.instancePath || "body"} ${e.message} ${JSON.stringify(e.params)}`));
    const events = a.events?.size
      ? this.checkEvents(route, a.events, body) : { seen: [], problems: [] };
    return { seen: [name(route, status, a.codes.includes(code) ? code : null),
      ...general ? [`any route ${status} ${code}`] : [], ...events.seen],
    problems: [...problems, ...events.problems] };
  }
}

const eventName = (route, event) => `${route.method} ${route.path} event ${event}`;

function name(route, status, code) {
  return [route.method, route.path, status, code].filter(Boolean).join(" ");
}
