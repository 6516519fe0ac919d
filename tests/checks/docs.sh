#!/bin/sh
# SPDX-License-Identifier: MIT
#
# docs.sh - what the documents name is there: files that they link to or
# mention, verbs, the permissions of the token, and settings in their examples.
# Documents that comments cite are held by citations.sh.
set -u
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
bad=0
wrong() { echo "$1"; bad=1; }
bin=${BUILD:-build}/shipfrom
docs="README.md CONTRIBUTING.md handlers/OFFERS.md centra/CONTRACT.md $(echo docs/*.md)"

# The anchors that a document's headings make: as on GitHub.
anchors() {
	sed -n 's/^##* //p' "$1" | tr '[:upper:]' '[:lower:]' |
		sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}

# [text](FILE#heading), from the folder of the document.
for doc in $docs; do
	links=$(grep -oE '\]\([^): ]+' "$doc" | sed 's/](//')
	for link in $links; do
		file=$(dirname "$doc")/${link%%#*}
		case $link in "#"*) file=$doc ;; esac
		[ -e "$file" ] || { wrong "$doc: there is no $link"; continue; }
		case $link in *"#"*)
			anchors "$file" | grep -qx -e "${link#*#}" ||
				wrong "$doc: there is no heading for $link" ;;
		esac
	done
done

# Every page is found from the README.
for page in docs/*.md; do
	grep -qF "]($page" README.md || wrong "README.md does not link to $page"
done

# A file of the source that a document names in code is there: `server/serve.c`.
# (docs/promises.md has its own names: promises.sh.)
# shellcheck disable=SC2016 # backquotes of the documents
for doc in $docs tests/sim/README.md; do
	[ "$doc" != docs/promises.md ] || continue
	for file in $(grep -oE '`(base|store|centra|handlers|server|tests|deploy|docs)/[A-Za-z0-9_./-]+`' "$doc" | tr -d '`'); do
		case $file in *_X.c) continue ;; esac # any of them
		[ -e "$file" ] || wrong "$doc: there is no $file"
	done
done

# Each verb in code: between backquotes, or in a line that is indented.
"$bin" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p' | sort >"$work/verbs"
# shellcheck disable=SC2086 # a list of names without blanks
awk '
function look(text) {
	while (match(text, /(^|[ (])shipfrom [a-z]+( |$)/)) {
		split(substr(text, RSTART, RLENGTH), w, "shipfrom ")
		sub(/ .*/, "", w[2])
		print w[2]
		text = substr(text, RSTART + RLENGTH - 1)
	}
}
/^    / { look($0); next }
{ n = split($0, part, "`"); for (i = 2; i <= n; i += 2) look(part[i]) }
' $docs | sort -u >"$work/used"
[ "$(wc -l <"$work/used")" -gt 5 ] || wrong "no verbs found in the documents"
for verb in $(comm -13 "$work/verbs" "$work/used"); do
	case $verb in
	shipfrom) ;; # the name of a container, in container.md
	*) wrong "a document names the verb '$verb', and there is none" ;;
	esac
done

# The permissions of docs/going-live.md are those that doctor tries.
sed -n 's/^PERMISSION("\([^"]*\)".*/\1/p' centra/names.def | sort >"$work/tried"
sed -n 's/^    \([A-Z][A-Za-z.]*:[a-z]*\)$/\1/p' docs/going-live.md |
	sort >"$work/told"
[ -s "$work/told" ] || wrong "docs/going-live.md names no permissions"
diff "$work/tried" "$work/told" || wrong "docs/going-live.md: other permissions than doctor's (<)"

# Each ini block of the documents is a good configuration.
for doc in docs/*.md; do
	awk -v to="$work/$(basename "$doc")" '
		/^```ini/ { n++; on = 1; next }
		/^```/ { on = 0 }
		on { print > (to "." n ".ini") }' "$doc"
done
names=$(cat "$work"/*.ini | sed -n 's/^[a-z_]*_file = //p')
for name in $names; do
	echo "$name-0123456789abcdef" >"$work/$name"
done
for ini in "$work"/*.ini; do
	sed -i "s|lmdb:/var/lib/shipfrom|lmdb:$work|" "$ini"
	"$bin" check --config "$ini" >"$work/out" 2>&1 || {
		cat "$work/out"
		wrong "an example is no good configuration: $(basename "$ini")"
	}
done
exit $bad
