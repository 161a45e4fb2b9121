#!/usr/bin/env bash
# Installs what a node takes from Debian or Ubuntu, where it is missing. No service is started by that.
set -euo pipefail
. "$(dirname "$0")/settings.sh"

# a command or file that is there once the package is
declare -A PACKAGES=(
  [containerd]=containerd [runc]=runc [/usr/lib/cni/bridge]=containernetworking-plugins [iptables]=iptables [conntrack]=conntrack
  [socat]=socat [ip]=iproute2 [openssl]=openssl [gcc]=gcc [/usr/include/stdlib.h]=libc6-dev [busybox]=busybox-static [jq]=jq
)

missing=()
for thing in "${!PACKAGES[@]}"; do
  case $thing in
    /*) [ -e "$thing" ] || missing+=("${PACKAGES[$thing]}") ;;
    *) command -v "$thing" >/dev/null || missing+=("${PACKAGES[$thing]}") ;;
  esac
done
[ ${#missing[@]} -gt 0 ] || exit 0
command -v apt-get >/dev/null || fail "A node needs the packages ${missing[*]} (Debian's names), and this machine has no apt-get."

say "installing ${missing[*]} ..." >&2
# Debian's way to say that an installation starts no daemon
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  trap 'rm -f $policy' EXIT
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod +x $policy
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "${missing[@]}" >/dev/null
