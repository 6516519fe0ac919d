// story.js - the words of what happened to an order, loaded when timeline.js first
// shows it.
//
// The server sends facts (store/model/journal.def).  Facts that only the office
// wants to know are left out.
import { addTexts, t } from "./texts.js";
import { byText, clock } from "./parts.js";

addTexts({
  en: {
    hPlaced: "The customer ordered", hOffered: "Offered to you", hUntil: "Offered to you until {until}", hAgain: "Offered to you again",
    hYes: "{by} said yes", hNo: "{by} said no: {why}", hNoReply: "No reply from Centra yet", hYours: "Centra: it is yours",
    hNotYours: "Centra: not yours", hAsked: "{by} confirmed the shipment", hAskedPart: "{by} confirmed part of the order",
    hFailed: "Could not be shipped", hUnpaid: "The payment failed", hPaying: "The payment is being confirmed", hPaid: "The payment is confirmed",
    hGone: "Centra no longer has the shipment", hNothing: "Nothing is left to ship", hProblem: "{by} reported a problem: {why}",
    hOffice: "The office has to look at the order", hSolved: "{by} solved the problem", hStopped: "{by} has stopped the order",
  },
  sv: {
    hPlaced: "Kunden beställde", hOffered: "Ni fick frågan", hUntil: "Ni fick frågan, svar senast {until}", hAgain: "Ni fick frågan igen",
    hYes: "{by} sa ja", hNo: "{by} sa nej: {why}", hNoReply: "Inget svar från Centra än", hYours: "Centra: ordern är er",
    hNotYours: "Centra: inte er", hAsked: "{by} bekräftade leveransen", hAskedPart: "{by} bekräftade en del av ordern",
    hFailed: "Gick inte att skicka", hUnpaid: "Betalningen gick inte igenom", hPaying: "Betalningen bekräftas", hPaid: "Betalningen är bekräftad",
    hGone: "Leveransen finns inte längre hos Centra", hNothing: "Inget är kvar att skicka", hProblem: "{by} anmälde ett problem: {why}",
    hOffice: "Kontoret behöver titta på ordern", hSolved: "{by} löste problemet", hStopped: "{by} har stoppat ordern",
  },
});

// The text of a fact, by its kind, or by its kind and result (of a state: the state).
const WORDS = {
  placed: "hPlaced", cancelled: "cancelledShort", offered: "hOffered", "offered.until": "hUntil", recovered: "hOffered",
  "answered.accept": "hYes", "answered.reject": "hNo", no_reply: "hNoReply", doubt: "doubt", "doubt.ended": "hYours",
  "state.pending": "hAgain", "state.accepted": "hYours", "state.refused": "hNotYours", "state.rejected": "endedShort",
  "state.taken": "lost2", "state.timed_out": "missed", "state.cancelled": "cancelledShort",
  ship_asked: "hAsked", "ship_asked.part": "hAskedPart", ship_failed: "hFailed", "ship_failed.capture_failed": "hUnpaid",
  payment: "hPaying", "payment.captured": "hPaid", shipment_gone: "hGone", shipped: "shipped", "shipped.part": "hPart",
  shipped_here: "shipped", nothing_left: "hNothing",
  problem: "hProblem", for_office: "hOffice", solved: "hSolved", stopped: "hStopped",
};
const QUIET = `changed centra_said unknown_event fetched found sizes_hidden look_failed not_shown settled try reply try_lost
  step step_done step_refused shipment_found missed state.accepting state.rejecting too_large address_removed given_up
  redriven replayed`.split(/\s+/);

// The words of a fact; "": it is left out.
export function words(e) {
  const name = `${e.kind}.${e.kind === "state" ? e.to : e.result}`, key = WORDS[name] ?? WORDS[e.kind];
  if (QUIET.includes(name) || QUIET.includes(e.kind) || (name === "state.pending" && !e.from)) return "";
  if (!key) return e.what;   // a kind that is newer than this page
  const text = t(key, { n: 1, by: e.by ? byText(e.by) : "–", until: e.until && clock(e.until), why: t(e.reason || "other") });
  return e.kind === "ship_asked" && e.text ? `${text}: ${e.text}` : text;
}
