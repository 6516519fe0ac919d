#!/bin/sh
# SPDX-License-Identifier: MIT
#
# includes.sh - who may include whom.
#
#   tests -> server -> handlers -> centra -> base
#               |          +-> store's value types only
#               +-> store -> base
#
# Each library has one home, so that its words stay in one folder.  The
# stand-in for Centra, the end to end tests and the benchmark share no code
# with the product: they would repeat its mistakes.
set -u

files=$(find base store centra handlers server tests \
	-path tests/api -prune -o -name '*.[ch]' -print -o -name '*.def' -print)
[ -n "$files" ] || { echo "no source found"; exit 1; }

# shellcheck disable=SC2086 # a list of names without blanks
awk '
BEGIN {
	may["base"] = "base"
	may["store"] = "base store"
	may["centra"] = "base centra"
	may["handlers"] = "base centra handlers store"
	may["server"] = "base store centra handlers server"
	may["unit"] = "base store centra handlers server unit"
	may["fuzz"] = "base store centra handlers server unit fuzz"
	may["sim"] = "sim"
	may["harness"] = "harness"
	may["e2e"] = "harness e2e"
	may["bench"] = "bench"
	may["faults"] = "faults"
	may["checks"] = "base"

	inside_http = "^server/http/"
	home["lmdb.h"] = "store"
	home["curl/"] = "centra harness e2e sim"
	home["microhttpd.h"] = "server sim"
	home["openssl/"] = "server sim harness e2e bench"
	home["cjson/"] = "centra server sim harness e2e"
	home["ini.h"] = "server"
	home["cmocka.h"] = "unit e2e harness"
}
function folder(path,   part) {
	split(path, part, "/")
	return part[1] == "tests" ? part[2] : part[1]
}
function among(word, list) { return index(" " list " ", " " word " ") }
function wrong(why) {
	printf "%s:%d: %s\n", FILENAME, FNR, why
	bad++
}
FNR == 1 { here = folder(FILENAME); seen++
	if (!(here in may)) wrong("no rule for the folder " here) }
/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, q, "\"")
	if (q[2] !~ /\//) {
		wrong("\"" q[2] "\": say the folder too")
		next
	}
	if (!among(folder(q[2]), may[here]))
		wrong(here " may not include " q[2])
	if (here == "handlers" && q[2] ~ /^store\// && \
	    q[2] !~ /^store\/model\/(order|event|task)\.h$/)
		wrong("handlers know only the values of store, not " q[2])
	if (q[2] == "server/http/http_private.h" && FILENAME !~ inside_http)
		wrong(q[2] " is for the files that it lists alone")
	if (q[2] !~ /^store\/lmdb\// || here == "store")
		next
	if (here != "unit" && here != "fuzz")
		wrong(q[2] " is for store alone")
}
/^[ \t]*#[ \t]*include[ \t]*</ {
	name = $0
	sub(/^[^<]*</, "", name)
	sub(/>.*/, "", name)
	for (lib in home)
		if (index(name, lib) == 1 && here != "unit" && \
		    here != "fuzz" && !among(here, home[lib]))
			wrong("<" name "> belongs to: " home[lib])
	if (name == "microhttpd.h" && here == "server" && \
	    FILENAME != "server/http/http_private.h")
		wrong("<" name "> is for server/http/http_private.h")
}
END {
	printf "%d files looked at\n", seen
	exit bad || !seen
}' $files
