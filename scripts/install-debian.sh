#!/usr/bin/env bash
# Makes sure that the Debian programs that tests need are there: install-debian.sh [PACKAGE]...
#
# With no PACKAGE named, all that is listed below. Needs root or sudo only for what apt has to install.
# Where a program cannot be had, says what to do: an error in CI, elsewhere a warning, and tests that need it are skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# What tests look for, and the package that has it. To add one, add a line.
installed=(
  "chromium chromium"
  "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf fonts-dejavu-core"
  "curl curl"
  "git git"
  "jq jq"
  "node nodejs"
  "npm npm"
  "/usr/lib/x86_64-linux-gnu/libpq.so.5 libpq5"
  "/usr/lib/x86_64-linux-gnu/libcares.so.2 libc-ares2"
  "/usr/lib/x86_64-linux-gnu/libevent-2.1.so.7 libevent-2.1-7"
)
# Packages of servers are unpacked into .tools/debian, not installed: no root is needed and no service is started.
unpacked=(
  "prometheus prometheus"
  "promtool prometheus"
  "prometheus-alertmanager prometheus-alertmanager"
  "amtool prometheus-alertmanager"
  "/usr/lib/postgresql/15/bin/initdb postgresql-15"
  "/usr/sbin/pgbouncer pgbouncer"
  "victoria-metrics victoria-metrics"
)

if [[ "${1-}" == -h || "${1-}" == --help ]]; then
  awk 'NR > 1 && !/^#/ { exit } NR > 1 { sub(/^# ?/, ""); print }' "$0"
  exit 0
fi

tools="$PWD/.tools"
export DEBIAN_FRONTEND=noninteractive
PATH="${PATH//":$tools/debian/usr/bin"/}" # what is half unpacked does not count

cannot() {
  printf 'install-debian.sh: %s\n' "$*" >&2
  if [[ -n "${CI-}" ]]; then exit 1; fi
  exit 0
}

is_there() {
  if [[ "$1" == /* ]]; then [[ -e "$1" ]]; else command -v "$1" >/dev/null; fi
}

# missing LINE...: the packages, each once, that have something which is not there.
missing() {
  local line package
  for line in "$@"; do
    package="${line#* }"
    is_there "${line% *}" || [[ -e "$tools/debian/.$package" ]] || printf '%s\n' "$package"
  done | sort -u
}

as_root() {
  if ((EUID == 0)); then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo --preserve-env=DEBIAN_FRONTEND "$@"
  else
    return 1
  fi
}

# Package lists that are absent or old are the usual reason for a failure, so they are read again before the second try.
twice() {
  "$@" || { as_root apt-get -q update && "$@"; }
}

install() {
  as_root apt-get install -qy --no-install-recommends -o DPkg::Lock::Timeout=120 "$@"
}

unpack() {
  local package="$1" folder
  folder="$(mktemp -d -p "$tools")"
  if (cd "$folder" && twice apt-get -q -o APT::Sandbox::User=root download "$package" && dpkg-deb -x ./*.deb unpacked); then
    mkdir -p "$tools/debian"
    cp -a "$folder/unpacked/." "$tools/debian/"
    touch "$tools/debian/.$package"
  fi
  rm -rf "$folder"
  [[ -e "$tools/debian/.$package" ]]
}

# Lets Debian's Prometheus and Alertmanager find their files where they were unpacked, not below /usr/share.
#
# The path in a program can be exchanged for one of the same length only: descriptor 9's, which is opened for it.
relocate() {
  local name program moved
  for name in prometheus prometheus-alertmanager; do
    program="$tools/debian/usr/bin/$name" moved="$tools/debian/usr/libexec/$name"
    [[ -f "$program" && "$(head -c 2 "$program")" != "#!" ]] || continue
    mkdir -p "${moved%/*}"
    LC_ALL=C sed 's#/usr/share/prometheus#/proc/self/fd/9//////#g' "$program" >"$moved"
    printf '#!/bin/sh\nexec 9<"%s"\nexec "%s" "$@"\n' "$tools/debian/usr/share/prometheus" "$moved" >"$program.new"
    chmod +x "$moved" "$program.new"
    mv "$program.new" "$program"
  done
}

if (($#)); then
  to_install=("$@")
  to_unpack=()
else
  mapfile -t to_install < <(missing "${installed[@]}")
  mapfile -t to_unpack < <(missing "${unpacked[@]}")
fi
wanted="${to_install[*]-} ${to_unpack[*]-}"
if [[ "$wanted" == " " ]]; then
  relocate
  exit 0
fi
command -v apt-get >/dev/null || cannot "there is no apt-get here: install these by hand: $wanted"
if ((${#to_install[@]})); then
  twice install "${to_install[@]}" || cannot "run this as root: apt-get install ${to_install[*]}"
fi
mkdir -p "$tools"
for package in ${to_unpack[@]+"${to_unpack[@]}"}; do
  unpack "$package" || cannot "cannot download the Debian package $package: run this as root, then try again: apt-get update"
done
relocate
