// news.js - tells what changed: by *stop*, a notice, a ring, a word to screen readers.
import { say } from "./dom.js";
import { t } from "./texts.js";
import { pending, watchEnd } from "./answer.js";
import { deadline, ENDED, isOpen } from "./lists.js";
import { now } from "./live.js";
import { leftText } from "./parts.js";
import { result } from "./results.js";
import { ringIfNew } from "./ringing.js";
import { follow } from "./ship.js";
import { ring } from "./sound.js";
import { stopIfNew } from "./stops.js";
import { draw } from "./ui.js";

let due = 0;

// An order changed from `had` (undefined: it is new) to `o`; null: something
// else changed.  Many changes at once are drawn once.
export function changed(o, had) {
  if (o) {
    watchEnd(o, had);
    follow(o);
    if (!stopIfNew(o) && had && had.state !== o.state) {
      const asked = ["accepting", "refused"].includes(had.state) || pending.get(o.number)?.verb === "accept";
      // Who has the parcel in hand keeps it until Centra has said whose it is.
      if (had.state === "accepted" && isOpen(o)) { ring(); result("bad", t("notSure", { n: o.number }), o.number); }
      if (o.state === "accepted") result("good", t("accepted", { n: o.number }), o.number);
      else if (asked && ENDED.includes(o.state)) result("bad", t(o.state, { n: o.number }), o.number);
    }
    if (had && !had.shipped && o.shipped) result("good", t("shippedNow", { n: o.number }), o.number);
    if (!had && o.state === "pending") say(t("newOrder", { n: o.number, t: leftText(deadline(o) - now()) }));
  }
  due ||= setTimeout(() => { due = 0; draw(); ringIfNew(); }, 20);
}
