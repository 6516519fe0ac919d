// bar.js - shows, over every view, the most urgent offer that is out of sight.
// A tap goes to it, and answers nothing.
import { $ } from "./dom.js";
import { t } from "./texts.js";
import { pending } from "./answer.js";
import { shield } from "./guard.js";
import { deadline, toAnswer } from "./lists.js";
import { now } from "./live.js";
import { leftText } from "./parts.js";
import { onScreen, urgency } from "./ringing.js";
import { draw, ui } from "./ui.js";

let number = 0;

export function drawBar() {
  const o = toAnswer().find((x) => x.state === "pending" && !pending.has(x.number) && urgency(x) && !onScreen(x.number));
  const bar = $("bar");
  number = o?.number ?? 0;
  bar.hidden = !o;
  const text = o ? t("bar", { n: number, t: leftText(deadline(o) - now()) }) : "";
  if (bar.textContent !== text) bar.textContent = text;
}

// What comes under the tapping finger cannot be pressed by it.
export function goToOffer() {
  const n = number;
  shield(1200);
  Object.assign(ui, { tab: "toAnswer", open: 0 });
  draw();
  document.querySelector(`#main > [data-key="${n}"]`)?.scrollIntoView({ block: "start" });
  drawBar();
}
