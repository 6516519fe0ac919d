// print.js - the pick list and the packing slip, on A4.
import { h, $ } from "./dom.js";
import { t } from "./texts.js";
import { orderCode } from "./codes.js";
import { addressText } from "./parts.js";

// Code 128 (ISO/IEC 15417): the widths of bar, space, bar, space, bar, space of
// the values 0 to 105, and of the stop sign.
const CODE128 = ("212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 123122 " +
  "123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 232121 111323 131123 131321 " +
  "112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 213311 213131 311123 " +
  "311321 331121 312113 312311 332111 314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 " +
  "142211 241211 221114 413111 241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 " +
  "111341 131141 114113 114311 411113 411311 113141 114131 311141 411131 211412 211214 211232 2331112").split(" ");
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
      h("thead", {}, h("tr", {}, slip ? null : h("th", {}), h("th", {}, t("qty")), h("th", {}, t("items")), h("th", {}, t("size")), h("th", {}, "SKU / EAN"))),
      h("tbody", {}, lines.map((l) => h("tr", {}, slip ? null : h("td", { class: "box" }), h("td", {}, String(l.quantity)),
        h("td", {}, [l.product, l.variant].filter(Boolean).join(", ")), h("td", {}, l.size || ""), h("td", {}, [l.sku, l.ean].filter(Boolean).join(" / ")))))),
  );
  window.print();
}
