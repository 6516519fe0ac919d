// lists.js - the orders as the tabs list them.
import { session } from "./api.js";
import { orders } from "./live.js";

const OPEN = ["pending", "accepting", "rejecting", "refused"];
export const ENDED = ["taken", "timed_out", "cancelled", "rejected"];

// When the offer ends, in ms since 1970; 0: it is over in Centra; Infinity: never.
export const deadline = (o) => (o.late ? 0 : o.expires_at ? Date.parse(o.expires_at) : Infinity);

// True while it has a problem that nobody has solved.
export const hasProblem = (o) => !!o.problem && !o.problem.solved;

export const isOpen = (o) => OPEN.includes(o.state);

const list = (pick) => [...orders.values()].filter(pick).sort((a, b) => deadline(a) - deadline(b) || a.number - b.number);
export const toAnswer = () => list(isOpen);
export const toShip = () => list((o) => o.state === "accepted" && !o.shipped)
  .sort((a, b) => hasProblem(b) - hasProblem(a) || String(a.placed_at).localeCompare(String(b.placed_at)));
// Of today, where the shop is.
export const finished = () => list((o) => (o.shipped || !(isOpen(o) || o.state === "accepted")) &&
  Date.parse(o.updated_at) >= Date.parse(session.me.day.begins))
  .sort((a, b) => b.updated_at.localeCompare(a.updated_at));
