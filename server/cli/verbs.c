/* SPDX-License-Identifier: MIT
 *
 * verbs.c - the table of verbs, one row each.
 */
#include "server/cli/cli.h"

#define TAKES(option) (1u << OPT_##option)

/* The exit codes of every verb that opens the store. */
#define STORE_CODES                                                           \
	"Exit codes: 0 done; 1 there is no such thing; 64 the command line "  \
	"is wrong;\n65 the store is damaged; 73 there is no store, it cannot " \
	"be opened, or it is\nfull; 74 the disk failed; 75 the store is in "   \
	"use, try again; 77 we are not the\nowner of its folder (run it as "   \
	"the server's user: sudo -u shipfrom ...); 78 the\nconfig has "        \
	"mistakes, each told with its line.\n"
#define BESIDE "Works beside a running server and without one.\n"

static const char serve_help[] =
	"Takes deliveries from Centra, serves the staff's page and API, and "
	"tells Centra\nwhat the shops answered.  Prints `ready "
	"http://ADDRESS:PORT` and `admin\nhttp://ADDRESS:PORT` once it "
	"answers; logs are JSON lines on stderr.\n\n"
	"SIGTERM and SIGINT end it without losing anything: /readyz says 503, "
	"after\n`drain` the sockets close, and what is under way is "
	"finished.\nSIGHUP reads the config again; one with mistakes changes "
	"nothing.\n\n"
	"  shipfrom serve --config /etc/shipfrom/shipfrom.ini\n\n"
	"Exit codes: 0 after a signal; 65 the store is damaged; 69 a port "
	"cannot be had;\n73 the store cannot be used; 74 the disk failed, "
	"start it again; 75 another\nserver holds the folder; 78 the config "
	"has mistakes.\n";

static const char check_help[] =
	"Reads the config and names every mistake in it as FILE:LINE, with how "
	"to mend\nit.  When there is none it says what the config amounts to, "
	"and warns on stderr\nof what is not safe: short secrets, files of "
	"secrets that others can read,\nhttp:// to another machine, "
	"trusted_proxies of everybody.  It asks nobody and\nchanges nothing; "
	"`shipfrom doctor` asks Centra.\n\n"
	"  shipfrom check --config ./shipfrom.ini\n"
	"  shipfrom check --json | jq 'select(.level != \"info\")'\n\n"
	"Exit codes: 0 good, warnings or not; 64 the command line is wrong; 78 "
	"the config\nhas mistakes.\n";

static const char doctor_help[] =
	"Asks each Centra whether it is as it must be, one line for each "
	"thing: ok, or\nwhat is wrong and how to mend it.  Changes "
	"nothing.\n\n"
	"  order-api   the address and the key, by an empty answer to "
	"check-first, which\n"
	"              Centra refuses with an error for each field\n"
	"  token       the address and the token of GraphQL\n"
	"  schema      every name that we send and every value that we look "
	"for\n"
	"  permission  each permission of the token, by a query that needs it; "
	"those that\n"
	"              write are not tried, since that might change something\n"
	"  warehouse   each shop's: known, active, check first, of a brick "
	"and mortar;\n"
	"              and those that are check first and of no shop\n\n"
	"  shipfrom doctor\n"
	"  shipfrom doctor --json | jq 'select(.result != \"ok\")'\n\n"
	"`untried` is neither: it says why.  Where systemd keeps the secrets:\n"
	"  sudo env CREDENTIALS_DIRECTORY=/etc/credstore shipfrom doctor\n\n"
	"Exit codes: 0 nothing is wrong; 1 something is; 64 the command line "
	"is wrong;\n69 a Centra did not answer; 78 the config has "
	"mistakes.\n";

static const char health_help[] =
	"Asks the running server, at `listen`, whether it serves, and prints "
	"its answer.\nThis is the health check of the container image.\n\n"
	"  shipfrom health               GET /healthz: it serves\n"
	"  shipfrom health --ready       GET /readyz: it should be sent "
	"requests\n\n"
	"Restart it for the first alone: a nearly full disk is not ready.\n\n"
	"Exit codes: 0 yes; 64 the command line is wrong; 69 no, or nothing "
	"answers;\n78 the config has mistakes.\n";

static const char device_help[] =
	"A device is a tablet, phone or till that may act for one shop.\n\n"
	"  shipfrom device add --shop amsterdam --name 'Tablet at the desk'\n\n"
	"prints two lines.  The first is the device's token, for a till that "
	"calls the\nAPI (Authorization: Bearer TOKEN); only its hash is kept, "
	"so it is shown once.\nThe second is a link that signs in the "
	"browser that opens it: within 15 minutes,\nand once.  Give one of "
	"them to the device and forget the other.\n\n"
	"  shipfrom device add --shop amsterdam --name 'Tablet' --qr\n\n"
	"also shows the link as a QR code, for the device's camera.\n\n"
	"  shipfrom device add --order-api --shop amsterdam --name 'WMS'\n\n"
	"prints a key instead, with which the shop's own system opens\n"
	"/order-api/amsterdam/ and nothing else.  Two keys may be used at once, "
	"while one\nreplaces the other.\n\n"
	"  shipfrom device list                  who may act, and who might\n"
	"  shipfrom device list --shop amsterdam\n"
	"  shipfrom device remove 7              device 7 may do nothing any "
	"more\n\n"
	"A lost tablet: remove it; what it answered stays in the records.\n\n"
	"  shipfrom device readmit 7             device 7 may act in a restored "
	"store\n"
	"  shipfrom device readmit --all         all may that were not "
	"removed\n\n"
	"In a store that was restored from a backup every device is "
	"suspended, since one\nthat was removed after the backup is not "
	"removed in it.  Readmitted, its token\nworks again; a browser signs "
	"in anew, with a device of `add`.\n"
	BESIDE "\n" STORE_CODES;

static const char events_help[] =
	"What Centra sent, in the order it came: number, time, instance, "
	"order, type and\naction, and Centra's own date.  Each event is told "
	"once, however often it came.\n\n"
	"  shipfrom events                       the last 50\n"
	"  shipfrom events --last 500\n"
	"  shipfrom events --json                all of them, with their "
	"data\n"
	"  shipfrom events --since 1200 --json   from number 1200 on\n\n"
	BESIDE "\n" STORE_CODES;

static const char orders_help[] =
	"Orders that were offered to a warehouse, by instance and number; one "
	"line for\neach warehouse: its state, until when an answer is wanted, "
	"and `expired` when\nthat is past.\n\n"
	"  shipfrom orders                       the last 100\n"
	"  shipfrom orders --state open          what waits for an answer\n"
	"  shipfrom orders --state mine --shop amsterdam\n"
	"                                        those that amsterdam has to "
	"ship\n"
	"  shipfrom orders --all                 also those never offered to "
	"anyone\n"
	"  shipfrom orders --limit 500\n"
	"  shipfrom orders --json | jq .number   all of them, unless --limit "
	"says less\n\n"
	"open: pending, accepting, rejecting, refused; mine: accepted, not "
	"shipped;\ndone: the rest.  `shipfrom why NUMBER` prints one order's "
	"journal.\n" BESIDE "\n" STORE_CODES;

static const char tasks_help[] =
	"The work that waits: what it is, for which order, when it is due, how "
	"often it\nwas tried, and why it is not done yet.\n\n"
	"  shipfrom tasks\n"
	"  shipfrom tasks --dead       only what was given up, each with its "
	"last calls;\n"
	"                              redrive it once the reason is gone\n\n"
	"Kinds: check_first and order apply an event; answer_offer tells "
	"Centra what a\nshop answered; ship_order ships; fetch_order asks "
	"Centra how the order stands;\nmissed judges whether a webhook was "
	"missed.\n" BESIDE "\n" STORE_CODES;

static const char why_help[] =
	"How an order stands, and why: every event, answer, call and reply in\n"
	"its journal, with the time and who did it.\n\n"
	"  shipfrom why 19\n"
	"  shipfrom why se/19          when several instances have a 19\n"
	"  shipfrom why 19 --json      the first line is the order, then one "
	"for each\n"
	"                              thing that happened\n\n"
	"Times are local, in the instance's time_zone; with --json they are "
	"UTC.\n" BESIDE "\n" STORE_CODES;

static const char report_help[] =
	"For each shop: the orders that were first offered to it since then, "
	"and what\nbecame of them: accepted, rejected (and why), missed (the "
	"time ran out), taken\nby another shop; how long it took to answer, in "
	"the middle and for all but the\nslowest tenth; and what was shipped "
	"within a day of its accept.\n\n"
	"  shipfrom report                       the last 7 days\n"
	"  shipfrom report --since today\n"
	"  shipfrom report --since 24h --shop amsterdam\n"
	"  shipfrom report --since 30d --json\n\n"
	"TIME: today, such as 24h or 7d, or as 2026-01-11T00:00:00+01:00.\n"
	BESIDE "\n" STORE_CODES;

static const char redrive_help[] =
	"Puts dead tasks back to work, and makes tasks that failed and wait for "
	"their\nnext try due now.  An API that the server has given up for the "
	"moment is tried\nat once.  Mend the reason first: `shipfrom tasks` shows "
	"it.\n\n"
	"  shipfrom redrive 4711                 one task\n"
	"  shipfrom redrive --kind answer_offer  all of a kind\n"
	"  shipfrom redrive --all                all of them; prints how many"
	"\n\n" BESIDE "\n" STORE_CODES;

static const char replay_help[] =
	"Applies a stored event once more.  Harmless: an event that changed "
	"all it can\nchanges nothing again.\n\n"
	"  shipfrom replay 1200        SEQ as `shipfrom events` shows it\n"
	"  shipfrom replay --since 2h  what came in the last two hours; prints "
	"how many\n"
	"  shipfrom replay --since 2026-01-11T16:00:00+01:00\n\n"
	BESIDE "\n" STORE_CODES
	"65: nothing is done about events of that type.\n";

static const char sweep_help[] =
	"Asks for a sweep: the server looks at every order that is open, or "
	"accepted\nand not shipped, and asks Centra which orders wait that no "
	"webhook told it of.\nA running server begins within a second; one "
	"that is not running does once it is\nstarted.  It also sweeps at its "
	"start and every `sweep_every`, unless that is 0.\n\n"
	"  shipfrom sweep\n\n"
	"What was found stands in the orders' journals (shipfrom why NUMBER) "
	"and is\ncounted in the metric shipfrom_missed_webhooks_total.\n\n"
	BESIDE "\n" STORE_CODES;

static const char quarantine_help[] =
	"What Centra signed and was not run, kept as it came:\n\n"
	"  unread   a delivery, or one event of it, that could not be read.  "
	"Answered\n           200: the rest of a delivery must not be lost with "
	"it\n"
	"  version  of another version of the webhook plugin; answered 200\n"
	"  stale    rightly signed, but its time was too far from ours; "
	"answered 401\n\n"
	"Of the last two at most 1000, or 64 MiB, are kept of each instance."
	"\n\n"
	"  shipfrom quarantine             lists them, and why\n"
	"  shipfrom quarantine show 3      its bytes as they came on stdout, "
	"the rest on\n"
	"                                  stderr\n"
	"  shipfrom quarantine retry 3     reads it again and records what is "
	"in it, with\n"
	"                                  the time it came\n"
	"  shipfrom quarantine retry --all\n"
	"  shipfrom quarantine drop 3      throws it away for good\n\n"
	"retry asks for a signature by a secret of the config, not for its "
	"time: after a\nclock was mended, or when a newer shipfrom reads what an "
	"older one could not.\n\n"
	"What no secret signed is in the running server's memory alone, the "
	"last 16 MiB.\nIf the secret was wrong here, mend it and reload: what it "
	"signed is recorded\nthen, with the time it came.\n\n"
	"  shipfrom quarantine list --refused    asks the server at "
	"admin_listen\n"
	"  shipfrom quarantine retry --refused   has it judge them again; "
	"prints how many\n"
	"                                        were genuine\n\n"
	"The bytes may hold customers' names and addresses.\n" BESIDE
	"\n" STORE_CODES
	"65: it stays, and why was told; 69 the server cannot be asked; 75 it "
	"is busy.\n";

static const char stock_help[] =
	"Counts of what lies in a shop, which are sent to Centra.\n\n"
	"  shipfrom stock import counts.csv --shop amsterdam\n"
	"  shipfrom stock list --shop amsterdam      how each count stands\n"
	"  shipfrom stock why 5901144123590 --shop amsterdam\n\n"
	"The file is CSV; its first line names the columns: ean or sku, "
	"quantity, and\nperhaps counted_at (left out: now).  Quantities are "
	"absolute.  Items that are\nnot in it stay as they are.  If a line is "
	"wrong, each such line is named, and\nnothing is stored.  More items at 0 "
	"than `stock_most_to_zero` need --confirm.\n" BESIDE "\n" STORE_CODES
	"64: also more zeros than may be; 65: also a line that is wrong; 66 the "
	"file\ncannot be read.\n";

static const char records_help[] =
	"What is kept beside the orders: counts of stock, returns, received "
	"deliveries,\nwebhooks to the shops' own systems, locks of orders, "
	"and how far Centra's\nfeeds were read.\n\n"
	"  shipfrom records                      how many of each kind, by "
	"list\n"
	"  shipfrom records stock_item           all of a kind\n"
	"  shipfrom records stock_item se/27/ean/5901144123590\n"
	"  shipfrom records --json outgoing | jq 'select(.list != \"done\")'"
	"\n\n" BESIDE "\n" STORE_CODES;

static const char verify_help[] =
	"Walks the whole store and checks it: every row can be read, every "
	"index leads to\na record and every record is in its indexes, states "
	"are what the facts mean.\nPrints how many rows each table has, and "
	"each thing that is wrong.  Changes\nnothing.\n\n"
	"  shipfrom verify\n"
	"  shipfrom verify --json | jq 'select(.wrong)'\n\n" BESIDE
	"\n" STORE_CODES "65: something is wrong.\n";

static const char backup_help[] =
	"Writes all of the store, as it is at this moment, to a new file.  The "
	"server\ngoes on meanwhile.  Until it is whole and on disk the file is "
	"called FILE.tmp; a\nfile that is there is never overwritten.\n\n"
	"  shipfrom backup /backup/shipfrom-$(date +%F).mdb\n\n"
	"To restore: put the file as data.mdb into an empty folder of the "
	"server's user,\nmode 0700, name that folder as `store`, and start the "
	"server:\n\n"
	"  install -d -m 0700 -o shipfrom /var/lib/shipfrom.new\n"
	"  install -m 0600 -o shipfrom FILE /var/lib/shipfrom.new/data.mdb\n\n"
	"In a restored store nobody is signed in and every device is "
	"suspended: see\n`shipfrom device --help` for `readmit`.\n\n"
	"What came after the backup is not in it: the sweep asks Centra for "
	"the offers\nsince then.  A backup holds customers' addresses: keep it "
	"as you keep those.\n" BESIDE "\n" STORE_CODES;

static const char compact_help[] =
	"Rewrites the store's file without its freed pages.  What was removed, "
	"such as\nold addresses, stays in those pages until they are used "
	"again or the store is\ncompacted; and the file never gets smaller by "
	"itself.\n\n"
	"  systemctl stop shipfrom\n"
	"  shipfrom compact                      as the server's user\n"
	"  systemctl start shipfrom\n\n"
	"Only while neither a server nor a command has the store open (75 "
	"else), and with\nroom for a second copy in the folder.  The new file "
	"takes the old one's place at\none moment: after a crash there is one "
	"or the other, whole.\n\n" STORE_CODES;

static const char routes_help[] =
	"Every address the server answers: method, path, who may ask, where it "
	"listens,\nand what it is for.  openapi.yaml describes them.\n\n"
	"  shipfrom routes\n  shipfrom routes --json\n";

static const char settings_help[] =
	"Every setting: section, name, type, default, and what it is for.  "
	"NAME_file\n= FILE may stand in for a secret.\n\n"
	"  shipfrom settings\n"
	"  shipfrom settings --json | jq -r 'select(.required) | .name'\n";

static const char version_help[] = "  shipfrom version\n";

/* clang-format off */
const struct cli_verb cli_verbs[] = {
	{"serve", "",
	 "runs the server",
	 serve_help, 0, cli_serve},
	{"check", "",
	 "names every mistake in the config",
	 check_help, TAKES(JSON), cli_check},
	{"doctor", "",
	 "asks each Centra whether all is as it must be",
	 doctor_help, TAKES(JSON), cli_doctor},
	{"health", "[--ready]",
	 "asks the running server whether it serves",
	 health_help, TAKES(READY), cli_health},
	{"device", "add --shop NAME --name LABEL | list | remove|readmit ID",
	 "who may act for a shop",
	 device_help, TAKES(JSON) | TAKES(SHOP) | TAKES(NAME) | TAKES(QR) |
	 TAKES(ORDER_API) | TAKES(ALL), cli_device},
	{"events", "[--since SEQ | --last N]",
	 "what Centra sent",
	 events_help, TAKES(JSON) | TAKES(SINCE) | TAKES(LAST), cli_events},
	{"orders", "[--state STATE] [--shop NAME] [--limit N] [--all]",
	 "which orders were offered, and how they stand",
	 orders_help, TAKES(JSON) | TAKES(STATE) | TAKES(SHOP) | TAKES(LIMIT) |
	 TAKES(ALL), cli_orders},
	{"tasks", "[--dead]",
	 "the work that waits, or was given up",
	 tasks_help, TAKES(JSON) | TAKES(DEAD), cli_tasks},
	{"why", "[INSTANCE/]NUMBER",
	 "the journal of one order, in order",
	 why_help, TAKES(JSON), cli_why},
	{"report", "[--since TIME] [--shop NAME]",
	 "how each shop has done",
	 report_help, TAKES(JSON) | TAKES(SINCE) | TAKES(SHOP), cli_report},
	{"redrive", "ID | --all | --kind KIND",
	 "puts dead and waiting tasks to work",
	 redrive_help, TAKES(JSON) | TAKES(ALL) | TAKES(KIND), cli_redrive},
	{"replay", "SEQ | --since TIME",
	 "applies stored events once more",
	 replay_help, TAKES(JSON) | TAKES(SINCE), cli_replay},
	{"sweep", "",
	 "asks Centra for what was missed, now",
	 sweep_help, TAKES(JSON), cli_sweep},
	{"quarantine", "[list|show|retry|drop] [SEQ | --all | --refused]",
	 "what could not be read, or was refused",
	 quarantine_help, TAKES(JSON) | TAKES(ALL) | TAKES(REFUSED),
	 cli_quarantine},
	{"stock", "import FILE | list | why CODE, --shop NAME",
	 "counts of what lies in a shop",
	 stock_help, TAKES(JSON) | TAKES(SHOP) | TAKES(CONFIRM), cli_stock},
	{"records", "[KIND [INSTANCE/KEY]]",
	 "what is kept beside the orders",
	 records_help, TAKES(JSON), cli_records},
	{"verify", "",
	 "checks the whole store",
	 verify_help, TAKES(JSON), cli_verify},
	{"backup", "FILE",
	 "copies the store while it is in use",
	 backup_help, TAKES(JSON), cli_backup},
	{"compact", "",
	 "rewrites the store without what was removed; server stopped",
	 compact_help, TAKES(JSON), cli_compact},
	{"routes", "",
	 "every address the server answers",
	 routes_help, TAKES(JSON), cli_routes},
	{"settings", "",
	 "every setting, its default and its meaning",
	 settings_help, TAKES(JSON), cli_settings},
	{"version", "",
	 "which shipfrom this is",
	 version_help, 0, cli_version},
	{0},
};
/* clang-format on */
