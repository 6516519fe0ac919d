// dom.js - elements, without a framework.
import { shield } from "./guard.js";

// h("button", {class: "go", onclick: f}, "text", child)
export function h(tag, props, ...children) {
  const el = document.createElement(tag);
  for (const [k, v] of Object.entries(props || {})) {
    if (v === undefined || v === null || v === false) continue;
    if (k.startsWith("on")) el.addEventListener(k.slice(2), v);
    else if (k in el && !k.includes("-") && k !== "list" && k !== "role") el[k] = v;
    else el.setAttribute(k, v === true ? "" : v);
  }
  el.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return el;
}

export const button = (kind, onclick, text, props) => h("button", { class: kind, onclick, ...props }, text);

export const $ = (id) => document.getElementById(id);

// Replaces the children of `box` by those of `items` ({key, sign, make}), but
// keeps an element whose key and sign are as before, so that focus stays.  A
// replaced element gives the focus to its successor's part of the same name, but
// never to a green button.  What has moved under a finger cannot be pressed for a
// moment.
export function keep(box, items) {
  const old = new Map([...box.children].map((el) => [el.dataset.key, el]));
  const tops = new Map([...box.children].map((el) => [el.dataset.key, el.offsetTop]));
  const act = document.activeElement, focus = act?.closest?.("[data-key]")?.dataset.key, part = act?.dataset?.part;
  const els = items.map(({ key, sign, make }) => {
    const had = old.get(String(key));
    if (had && had.dataset.sign === sign) return had;
    const el = make();
    el.dataset.key = key;
    el.dataset.sign = sign;
    return el;
  });
  if (els.length === box.children.length && els.every((el, i) => el === box.children[i])) return;
  for (const el of old.values()) if (!els.includes(el)) el.remove();
  els.forEach((el, i) => { if (el !== box.children[i]) box.insertBefore(el, box.children[i] || null); });
  for (const el of els) {
    if (tops.size && tops.get(el.dataset.key) !== el.offsetTop) shield(400, el);
  }
  const again = focus && els.find((el) => el.dataset.key === focus);
  if (!again || again.contains(document.activeElement)) return;
  const same = part && again.querySelector(`[data-part="${part}"]:not(.go)`);
  if (same && act.tagName === "INPUT") same.value = act.value;   // half of what is typed
  const next = same || again.querySelector("[autofocus]");
  if (next) next.focus({ preventScroll: true }); else toHeading(again);
}

// Moves the focus to the heading in `box`, or to the list.
export function toHeading(box) {
  const title = box?.querySelector("h2") ?? $("main");
  title.tabIndex = -1;
  title.focus({ preventScroll: true });
}

export function say(text) {
  $("say").textContent = "";
  setTimeout(() => { $("say").textContent = text; }, 50);
}
