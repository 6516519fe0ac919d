// goods.js - the feature `goods`: a small picture of each line's goods, and how
// many Centra believes lie here.
//
// A picture has its place before it is loaded, and keeps it if it cannot be.
import { addTexts, t } from "./texts.js";
import { h } from "./dom.js";
import { now } from "./live.js";
import { fullName } from "./parts.js";

const SIDE = 48, FRESH_MS = 600000;   // as the server: lookup/goods.h

addTexts({
  en: { pictureOf: "Picture: {name}", onHand: "Here, says Centra: {n}" },
  sv: { pictureOf: "Bild: {name}", onHand: "Här enligt Centra: {n}" },
});

export function picture(l) {
  if (!l.picture) return [];
  const img = h("img", { loading: "lazy", decoding: "async", referrerPolicy: "no-referrer", width: SIDE, height: SIDE, alt: t("pictureOf", { name: fullName(l) }) });
  img.style.objectFit = "contain";
  img.style.display = "block";   // below the quantity, where it takes no width from the name
  img.onerror = () => { img.style.visibility = "hidden"; };
  img.src = l.picture;
  return [img];
}

// It goes when it is too old, also on a screen that nobody draws anew.
export function facts(l) {
  const left = FRESH_MS - (now() - Date.parse(l.on_hand_at));
  if (!(left > 0)) return [];
  const el = h("span", {}, t("onHand", { n: l.on_hand }));
  setTimeout(() => el.remove(), left);
  return [el];
}
