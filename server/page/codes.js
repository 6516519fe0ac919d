// codes.js - what a scanned text means.  Pure: no DOM, no state.
//
// Sources: GS1 General Specifications (check digit, GTIN in 14 digits, element
// strings, Digital Link); ISO/IEC 15424 (AIM symbology identifiers).

export const GS = "\u001d";   // FNC1 between two elements of a GS1 element string

// Digits after an application identifier whose length is fixed, by its first two
// digits.  The data of any other ends at a GS.
const FIXED = { "00": 18, "01": 14, "02": 14, "03": 14, "04": 16, 20: 2, 41: 14 };
const fixedOf = (ai) => FIXED[ai] ?? (/1[1-9]/.test(ai) ? 6 : /3[1-6]/.test(ai) ? 8 : 0);

// True if the last digit of `digits` is the check digit of the others.
function checked(digits) {
  const sum = [...digits].reverse().reduce((n, d, i) => n + d * (i % 2 ? 3 : 1), 0);
  return sum % 10 === 0;
}

// The GTIN in 14 digits of a code of 8, 12, 13 or 14 digits with a right check
// digit; "" for any other text.
export const gtin = (code) => (/^(\d{8}|\d{12,14})$/.test(code || "") && checked(code) ? code.padStart(14, "0") : "");

// The GTIN (AI 01) of an element string; "" if it has none.
function gtinOfElements(text) {
  for (let rest = text; rest;) {
    if (rest.startsWith(GS)) { rest = rest.slice(1); continue; }
    if (rest.startsWith("01")) return gtin(rest.slice(2, 16));
    const fixed = fixedOf(rest.slice(0, 2)), end = rest.indexOf(GS);
    rest = fixed ? rest.slice(2 + fixed) : end < 0 ? "" : rest.slice(end);
  }
  return "";
}

// The code without the AIM identifier that some scanners put before it ("]E0").
export const plain = (code) => code.trim().replace(/^\][A-Za-z][0-9A-Za-z]/, "").trim();

// {gtin, text}: the GTIN in 14 digits, or ""; and the code as it is, in lower case.
export function read(code) {
  const aim = /^\]([A-Za-z][0-9A-Za-z])/.exec(code.trim())?.[1] ?? "", text = plain(code);
  const link = /^https?:\/\/.*\/01\/(\d{8,14})(?=[/?#]|$)/i.exec(text), human = /\(01\)(\d{14})/.exec(text);
  const elements = ["C1", "e0", "d2", "Q3", "J1"].includes(aim) || text.includes(GS) || /^01\d{14}./.test(text) || /^01\d{14}$/.test(text);
  // An EAN with an add-on of 2 or 5 digits is read as one code.
  const digits = aim === "E3" ? text.slice(0, 13) : text;
  return { text: text.toLowerCase(), gtin: link ? gtin(link[1]) : human ? gtin(human[1]) : gtin(digits) || (elements ? gtinOfElements(text) : "") };
}

// True if the scanned `code` is the item of line `l`: by EAN or UPC as GTIN, or
// any of its codes as it is.
export function isItem(code, l) {
  const c = read(code);
  return (!!c.gtin && [l.ean, l.upc].some((x) => x && gtin(plain(x)) === c.gtin)) ||
    [l.ean, l.upc, l.sku].some((x) => x && [c.text, code.trim().toLowerCase()].includes(x.trim().toLowerCase()));
}

// The text of the barcode on an order's papers.
export const orderCode = (o) => `${o.instance}/${o.number}`;

// True if `code` is the barcode of order `o`; or its number alone, as papers of
// an older version have it.  A scanner set to another language of keyboard types
// other signs for "/" and "-".
export function isOrder(code, o) {
  const same = (s) => s.toLowerCase().replace(/[^0-9a-z]/g, "?");
  return same(plain(code)) === same(orderCode(o)) || plain(code) === String(o.number);
}
