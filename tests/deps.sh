#!/bin/sh
# SPDX-License-Identifier: MIT
#
# deps.sh - installs what is missing, or names it.
#
# usage: deps.sh build|test|browser|image|lint|database|bench ...
#
# Each row is a Debian package, its Fedora name, and how to tell that it is
# there.  Nothing is installed, and apt is not even asked, when every probe
# finds what it looks for.
set -u

table() {
	case $1 in
	build) cat <<-'EOF'
		gcc                  gcc                  command cc
		libc6-dev            glibc-devel          header stdio.h
		make                 make                 command make
		pkg-config           pkgconf-pkg-config   command pkg-config
		libmicrohttpd-dev    libmicrohttpd-devel  library libmicrohttpd
		libcjson-dev         cjson-devel          library libcjson
		libssl-dev           openssl-devel        library libcrypto
		libcurl4-openssl-dev libcurl-devel        library libcurl
		liblmdb-dev          lmdb-devel           library lmdb
		libqrencode-dev      qrencode-devel       library libqrencode
		libexpat1-dev        expat-devel          library expat
		tzdata               tzdata               file /usr/share/zoneinfo/Europe/Stockholm
		ca-certificates      ca-certificates      file /etc/ssl/certs/ca-certificates.crt
		curl                 curl                 command curl
		EOF
		;;
	test) cat <<-'EOF'
		libcmocka-dev        libcmocka-devel      library cmocka
		binutils             binutils             command readelf
		strace               strace               command strace
		patch                patch                command patch
		openssl              openssl              command openssl
		haproxy              haproxy              file /usr/sbin/haproxy
		nodejs               nodejs               command node
		npm                  nodejs-npm           command npm
		EOF
		;;
	browser) cat <<-'EOF'
		nodejs               nodejs               command node
		npm                  nodejs-npm           command npm
		chromium             chromium             command chromium
		EOF
		;;
	image) cat <<-'EOF'
		buildah              buildah              command buildah
		mmdebstrap           mmdebstrap           command mmdebstrap
		netavark             netavark             file /usr/lib/podman/netavark
		mount                util-linux           command mount
		nodejs               nodejs               command node
		EOF
		;;
	lint) cat <<-'EOF'
		clang                clang                command clang
		clang-tools          clang-analyzer       command scan-build
		libclang-rt-dev      compiler-rt          fuzzer clang
		shellcheck           ShellCheck           command shellcheck
		EOF
		;;
	database) cat <<-'EOF'
		libpq-dev            libpq-devel          library libpq
		postgresql           postgresql-server    initdb postgresql
		EOF
		;;
	bench) cat <<-'EOF'
		nodejs               nodejs               command node
		npm                  nodejs-npm           command npm
		libnode-dev          nodejs-devel         file /usr/include/node/node.h
		g++                  gcc-c++              command g++
		python3              python3              command python3
		postgresql           postgresql-server    initdb postgresql
		valgrind             valgrind             command valgrind
		EOF
		;;
	*)
		echo "deps.sh: no such set: '$1' (build, test, browser, image, lint, database or bench)" >&2
		exit 64
		;;
	esac
}

is_there() {
	case $1 in
	command) command -v "$2" >/dev/null 2>&1 ;;
	library) pkg-config --exists "$2" 2>/dev/null ;;
	file) test -e "$2" ;;
	header) printf '#include <%s>\n' "$2" | cc -E - >/dev/null 2>&1 ;;
	initdb) command -v initdb >/dev/null 2>&1 ||
		ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 ;;
	fuzzer) ls "$(clang -print-resource-dir 2>/dev/null)"/lib/*/*fuzzer* \
		>/dev/null 2>&1 ;;
	esac
}

debian='' fedora=''
for set in "$@"; do
	rows=$(table "$set") || exit
	while read -r deb rpm how what; do
		is_there "$how" "$what" && continue
		debian="$debian $deb" fedora="$fedora $rpm"
	done <<EOF
$rows
EOF
done
[ -n "$debian" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
	cat >&2 <<EOF
These are missing; install them with your package manager and try again.
  named as on Debian: $debian
  named as on Fedora: $fedora
EOF
	exit 1
fi

sudo=''
if [ "$(id -u)" != 0 ]; then
	if ! command -v sudo >/dev/null 2>&1; then
		echo "As root, run:  apt-get install$debian" >&2
		exit 1
	fi
	sudo=sudo
fi

echo "installing:$debian"
export DEBIAN_FRONTEND=noninteractive
apt() { $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@"; }
# Debian's package makes and starts a database of its own, unless it is told
# not to.  The tests start one for themselves, on a socket in a folder.
no_database() {
	conf=/etc/postgresql-common/createcluster.conf
	[ ! -e "$conf" ] || return 0
	$sudo mkdir -p "${conf%/*}" &&
		echo 'create_main_cluster = false' | $sudo tee "$conf" >/dev/null
}
case $debian in *postgresql*) no_database ;; esac
install() {
	# shellcheck disable=SC2086 # a list of words
	apt -o Dpkg::Options::=--force-confold install -y \
		--no-install-recommends $debian >/dev/null
}
# The lists may be absent or too old; then, and only then, fetch them.
install 2>/dev/null || { apt update && install; } || {
	echo "could not install:$debian" >&2
	exit 1
}
