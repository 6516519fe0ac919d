// print.js - the pick list and the packing slip, on A4; loaded when an order to ship
// is first opened.
import { h, $ } from "./dom.js";
import { addTexts, t } from "./texts.js";
import { orderCode } from "./codes.js";
import { addressText, lineCodes, lineName } from "./parts.js";

addTexts({
  en: { pickList: "Pick list", slip: "Packing slip", items: "Items", qty: "Qty", size: "Size" },
  sv: { pickList: "Plocklista", slip: "Följesedel", items: "Varor", qty: "Antal", size: "Storlek" },
});

// Code 128 (ISO/IEC 15417): the widths of bar, space, bar, space, bar, space of
// the values 0 to 105, and of the stop sign.
const CODE128 = ("212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231113222123122123221223211221132221231213212" +
  "223112312131311222321122321221312212322112322211212123212321232121111323131123131321112313132113132311211313231113231311112133112331" +
  "132131113123113321133121313121211331231131213113213311213131311123311321331121312113312311332111314111221411431111111224111422121124" +
  "121421141122141221112214112412122114122411142112142211241211221114413111241112134111111242121142121241114212124112124211411212421112" +
  "4212112121412141214121211111431113411311411141131143114111134113111131411141313111414111312114122112142112322331112").match(/2331112|\d{6}/g);
const START_B = 104, STOP = 106, QUIET = 10;

// text: printable ASCII, in code set B.
function values(text) {
  const data = [...text].map((c) => c.charCodeAt(0) - 32);
  const check = data.reduce((n, v, i) => n + v * (i + 1), START_B) % 103;
  return [START_B, ...data, check, STOP];
}

export function barcode(text) {
  const box = h("div");
  let x = QUIET, bars = "";
  [...values(text).map((v) => CODE128[v]).join("")].forEach((w, i) => {
    if (i % 2 === 0) bars += `<rect x="${x}" width="${w}" height="40"/>`;
    x += Number(w);
  });
  x += QUIET;
  box.innerHTML = `<svg class="barcode" viewBox="0 0 ${x} 40" width="${(x * 0.38).toFixed(1)}mm" preserveAspectRatio="none" role="img">${bars}</svg>`;
  box.firstChild.setAttribute("aria-label", text);
  return box;
}

export function printOrder(o, shop, slip) {
  const lines = o.lines.filter((l) => l.quantity > 0);
  $("print").replaceChildren(
    h("h2", {}, `${t(slip ? "slip" : "pickList")} – ${t("order", { n: o.number })}`),
    h("p", {}, shop), barcode(orderCode(o)),
    ...(slip && o.ship_to ? [h("address", {}, addressText(o.ship_to))] : []),
    h("table", {},
      h("thead", {}, h("tr", {}, slip ? null : h("th", {}), h("th", {}, t("qty")), h("th", {}, t("items")), h("th", {}, t("size")), h("th", {}, "SKU / EAN / UPC"))),
      h("tbody", {}, lines.map((l) => h("tr", {}, slip ? null : h("td", { class: "box" }), h("td", {}, String(l.quantity)),
        h("td", {}, lineName(l)), h("td", {}, l.size || ""), h("td", {}, lineCodes(l).join(" / ")))))),
  );
  window.print();
}
