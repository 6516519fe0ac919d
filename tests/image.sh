#!/bin/sh
# SPDX-License-Identifier: MIT
#
# image.sh - builds deploy/Dockerfile, and runs the image as docs/container.md
# says: as its own user, on a root that cannot be written to, with its health
# check.
#
# No container engine and no registry is needed: the base image is made from
# Debian's packages, and buildah builds in a chroot.  What is not enforced in a
# chroot is done here, in a mount namespace.  Where mounting is not permitted
# those steps are SKIPPED, and say so.
#
#	image.sh                     all of it
#	image.sh --entered           the same, in a mount namespace already
#	image.sh --inside ROOT WORK  the steps that run the image
set -u
cd "$(dirname "$0")/.." || exit 1

fail() {
	echo "image.sh: $1" >&2
	exit 1
}

# A member of the image's configuration, one item a line.
said() {
	node -e '
	const c = JSON.parse(require("fs").readFileSync(process.argv[1])).Docker.config;
	const v = process.argv[2].split(".").reduce((o, k) => o?.[k], c) ?? [];
	for (const x of typeof v === "object" && !Array.isArray(v) ? Object.keys(v) : [v].flat())
		console.log(x);' "$work/image.json" "$1"
}

# ---- in the namespace ----

# As the image's user, with its environment: as a container engine would.
as_user() {
	# shellcheck disable=SC2046 # NAME=VALUE words
	env -i $(said Env) chroot --userspec="$user:$user" "$root" "$@"
}

# The first ini block of the document, at an address of our own.
write_config() {
	awk '/^```ini/ { on = 1; next } /^```/ && on { exit } on' \
		docs/container.md | sed "s/0\.0\.0\.0/$address/" >"$1"
	grep -q "^listen = $address:8080" "$1" ||
		fail "docs/container.md has no such configuration"
}

bind() {
	mount --bind "$1" "$2" || fail "cannot mount '$1'"
}

lay_mounts() {
	mkdir -p "$root/etc/shipfrom" "$root/run/secrets" "$work/etc" \
		"$work/secrets" || fail "no folders"
	write_config "$work/etc/shipfrom.ini"
	for name in se-webhook-secret se-order-api-key se-graphql-token; do
		echo "a-secret-of-more-than-16-characters" >"$work/secrets/$name"
		chmod 0400 "$work/secrets/$name"
		chown 900 "$work/secrets/$name"
	done
	bind "$root" "$root"
	bind "$work/etc" "$root/etc/shipfrom"
	bind "$work/secrets" "$root/run/secrets"
	mount -t tmpfs -o "mode=0700,uid=$user,gid=$user" tmpfs \
		"$root$(said Volumes)" || fail "cannot mount the volume"
	mount -o remount,bind,ro "$root" || fail "cannot make it read-only"
}

inside() {
	root=$1 work=$2
	user=$(said User)
	address=127.$(($$ >> 8 & 255)).$(($$ & 255)).9
	mount --make-rprivate / || fail "cannot make mounts private"
	lay_mounts

	[ "$user" -gt 0 ] || fail "the image's user is '$user'"
	[ "$(as_user id -u)" = "$user" ] || fail "it does not run as $user"
	# Also root finds it read-only: the mount is what refuses.
	if chroot "$root" sh -c ': >/probe' 2>/dev/null; then
		fail "the root can be written to"
	fi
	echo "ok: user $user, read-only root"

	# shellcheck disable=SC2046 # words
	as_user $(said Entrypoint) check >"$work/check" 2>&1 || {
		cat "$work/check"
		fail "check does not take the documented configuration"
	}
	# shellcheck disable=SC2046 # words
	set -- $(said Healthcheck.Test)
	[ "${1:-}" = CMD ] || fail "the image has no health check"
	shift
	as_user "$@" >/dev/null 2>&1 && fail "healthy before it was started"

	: >"$work/out"
	# shellcheck disable=SC2046 # words
	(exec env -i $(said Env) chroot --userspec="$user:$user" "$root" \
		$(said Entrypoint) $(said Cmd)) >"$work/out" 2>"$work/log" &
	server=$!
	tries=0
	until grep -q '^admin ' "$work/out"; do
		tries=$((tries + 1))
		if [ $tries -gt 100 ] || ! kill -0 $server 2>/dev/null; then
			cat "$work/log"
			fail "the server did not start"
		fi
		sleep 0.1
	done
	as_user "$@" >"$work/health" || fail "the health check says no"
	echo "ok: healthy: $(cat "$work/health")"
	curl -sf "http://$address:8081/metrics" | grep -q '^shipfrom_' ||
		fail "no metrics"
	as_user shipfrom device add --shop amsterdam --name Till \
		>/dev/null 2>&1 || fail "no verb can be run beside it"

	kill -TERM $server
	wait $server
	code=$?
	[ "$code" = 0 ] || fail "SIGTERM: it ended with $code"
	as_user "$@" >/dev/null 2>&1 && fail "healthy after it ended"
	echo "ok: stopped"
}

# ---- outside ----

# Newer versions of buildah ask for higher limits than this machine may allow:
# what there is will do.  buildah itself lowers its limit of processes to pid_max
# first, and may then not be allowed to raise it again.
write_limits() {
	for limit in nofile nproc; do
		most=-1
		[ $limit = nofile ] || most=$(cat /proc/sys/kernel/pid_max)
		prlimit --noheadings --output SOFT,HARD --$limit |
			awk -v name=$limit -v most="$most" '
			function capped(n) {
				if (n == "unlimited")
					return most
				return most >= 0 && n > most + 0 ? most : n
			}
			{ print name "=" capped($1) ":" capped($2) }'
	done | awk '
		BEGIN { printf "[containers]\ndefault_ulimits = [" }
		{ printf "\"%s\", ", $0 }
		END { print "]" }' >"$work/containers.conf"
	export CONTAINERS_CONF="$work/containers.conf"
}

bah() {
	buildah --root "$work/storage" --runroot "$work/run" "$@"
}

# Debian 12 without its documentation, under the name that FROM asks for.
make_base() {
	mmdebstrap --quiet --variant=apt --include=ca-certificates \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		bookworm "$work/base.tar" || fail "mmdebstrap made no base"
	base=$(bah from scratch) || fail "no container"
	bah add --quiet "$base" "$work/base.tar" / >/dev/null ||
		fail "the base does not unpack"
	bah commit --quiet --rm "$base" docker.io/library/debian:12-slim \
		>/dev/null || fail "no base image"
	rm "$work/base.tar"
	echo "ok: base image"
}

build_image() {
	bah bud --format docker --pull-never -f deploy/Dockerfile \
		-t shipfrom . >"$work/bud.log" 2>&1 || {
		tail -n 40 "$work/bud.log"
		fail "the image does not build"
	}
	bah inspect --type image shipfrom >"$work/image.json"
	echo "ok: image"
}

# Runs the rest in a mount namespace.  In a chroot / is no mount point, which
# buildah and unshare want: there it is made one.
enter_namespace() {
	[ "$(id -u)" = 0 ] || return 99
	if unshare --mount mount -t tmpfs tmpfs /mnt 2>/dev/null; then
		unshare --mount sh tests/image.sh --entered
	elif unshare --mount --propagation unchanged true 2>/dev/null; then
		# shellcheck disable=SC2016 # its own variables
		unshare --mount --propagation unchanged sh -c '
			m=$(mktemp -d) && mount --rbind / "$m" || exit 99
			mount --make-rprivate "$m"
			chroot "$m" sh -c "cd \"\$0\" && sh tests/image.sh --entered" "$PWD"
			code=$?
			umount -l "$m"
			rmdir "$m"
			exit $code'
	else
		return 99
	fi
}

clean() {
	[ -z "${c:-}" ] || bah umount "$c" >/dev/null 2>&1
	rm -rf "$work"
}

case ${1:-} in
--inside)
	inside "$2" "$3"
	exit
	;;
--entered) ;;
*)
	enter_namespace
	code=$?
	[ $code = 99 ] || exit $code
	echo "SKIPPED image: mounting is not permitted here, so no image was" \
		"built and none was run"
	exit 0
	;;
esac
export BUILDAH_ISOLATION=chroot STORAGE_DRIVER=vfs
work=$(mktemp -d) || exit 1
trap clean EXIT
write_limits
make_base
build_image
c=$(bah from --pull-never shipfrom) || fail "no container"
root=$(bah mount "$c") || fail "its root cannot be mounted"
echo "size: $(du -sm "$root" | cut -f1) MB"
unshare --mount sh tests/image.sh --inside "$root" "$work"
