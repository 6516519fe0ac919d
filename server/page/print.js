// print.js - the pick list and the packing slip, on A4.
import { h, $ } from "./dom.js";
import { t } from "./texts.js";

// Code 39, what every scanner reads; order numbers are digits.
const code39 = { 0: "nnnwwnwnn", 1: "wnnwnnnnw", 2: "nnwwnnnnw", 3: "wnwwnnnnn", 4: "nnnwwnnnw", 5: "wnnwwnnnn",
  6: "nnwwwnnnn", 7: "nnnwnnwnw", 8: "wnnwnnwnn", 9: "nnwwnnwnn", "*": "nwnnwnwnn" };

// number: digits, nothing else.
export function barcode(number) {
  const box = h("div");
  let x = 10, bars = "";
  for (const c of `*${number}*`) {
    [...code39[c]].forEach((w, i) => {
      const width = w === "w" ? 3 : 1;
      if (i % 2 === 0) bars += `<rect x="${x}" width="${width}" height="40"/>`;
      x += width;
    });
    x += 1;
  }
  x += 9;
  box.innerHTML = `<svg class="barcode" viewBox="0 0 ${x} 40" width="${(x * 0.38).toFixed(1)}mm" preserveAspectRatio="none" role="img" aria-label="${number}">${bars}</svg>`;
  return box;
}

export function addressText(a) {
  const name = [a.first_name, a.last_name].filter(Boolean).join(" ");
  const town = [a.zip, a.city].filter(Boolean).join(" ");
  return [a.company, name, a.attention, a.address1, a.address2, town, a.state, a.country].filter(Boolean).join("\n");
}

export function printOrder(o, shop, slip) {
  const lines = o.lines.filter((l) => l.quantity > 0);
  $("print").replaceChildren(
    h("h2", {}, `${t(slip ? "slip" : "pickList")} – ${t("order", { n: o.number })}`),
    h("p", {}, shop), barcode(o.number),
    ...(slip && o.ship_to ? [h("address", {}, addressText(o.ship_to))] : []),
    h("table", {},
      h("thead", {}, h("tr", {}, slip ? null : h("th", {}), h("th", {}, t("qty")), h("th", {}, t("items")), h("th", {}, t("size")), h("th", {}, "SKU / EAN"))),
      h("tbody", {}, lines.map((l) => h("tr", {}, slip ? null : h("td", { class: "box" }), h("td", {}, String(l.quantity)),
        h("td", {}, [l.product, l.variant].filter(Boolean).join(", ")), h("td", {}, l.size || ""), h("td", {}, [l.sku, l.ean].filter(Boolean).join(" / ")))))),
  );
  window.print();
}
