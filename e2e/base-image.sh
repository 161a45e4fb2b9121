#!/usr/bin/env bash
# e2e/base-image.sh OUT.tar: a base image for `./rlvr image --base`, where no registry can be reached: the C and C++ libraries of the Debian
# or Ubuntu that this runs on and a Java runtime of a JDK 25, nothing else, not even a shell. Needs apt, dpkg, tar, and the JDK.
# The same packages and JDK give the same bytes.
set -euo pipefail

PACKAGES=(libc6 libgcc-s1 libstdc++6 zlib1g base-files netbase)
# What jdeps finds in our jars, and what they look up by name: TLS, zip file systems, JFR, naming.
MODULES=java.base,java.compiler,java.desktop,java.instrument,java.logging,java.management,java.naming,java.net.http,java.rmi,java.scripting
MODULES+=,java.security.jgss,java.security.sasl,java.sql,java.transaction.xa,java.xml,jdk.crypto.cryptoki,jdk.httpserver,jdk.jfr,jdk.management,jdk.net
MODULES+=,jdk.unsupported,jdk.zipfs

out=$(realpath "${1:?usage: e2e/base-image.sh OUT.tar}")
JAVA_HOME=$("$(dirname "$0")/../rlvr" jdk)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
root=$scratch/root
mkdir -p "$root"/{tmp,etc,proc,sys,dev,opt,run,var/tmp} "$scratch/packages"
chmod 1777 "$root/tmp" "$root/var/tmp"

(cd "$scratch/packages" && apt-get download -q "${PACKAGES[@]}" >/dev/null 2>&1)
for package in "$scratch"/packages/*.deb; do dpkg-deb -x "$package" "$root"; done
rm -rf "$root"/usr/share/{doc,man,locale,lintian,i18n,bug,base-files,info,dict,misc} "$root"/usr/{games,src,local,include} \
  "$root"/usr/lib/*/gconv "$root"/usr/lib/locale "$root"/{home,root,boot,var/cache,var/lib,var/backups,var/spool,var/local,var/log} \
  "$root"/etc/{init.d,update-motd.d,skel,profile.d,default,dpkg,motd,issue*}
# users that files and processes may have
printf 'root:x:0:0:root:/:/sbin/nologin\nrlvr:x:65532:65532:rlvr:/tmp:/sbin/nologin\n' >"$root/etc/passwd"
printf 'root:x:0:\nrlvr:x:65532:\n' >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"

"$JAVA_HOME/bin/jlink" --add-modules "$MODULES" --strip-debug --no-header-files --no-man-pages --compress zip-0 --output "$root/opt/java"

# An image as 'docker save' writes it: a layer, its configuration, and a list of both.
layer=$scratch/layer.tar
tar --format=gnu --numeric-owner --owner=0 --group=0 --sort=name --mtime=@0 -C "$root" -cf "$layer" .
sum=$(sha256sum "$layer" | cut -d ' ' -f 1)
cat >"$scratch/config.json" <<JSON
{"architecture":"amd64","os":"linux","created":"1970-01-01T00:00:00Z",
"config":{"Env":["PATH=/opt/java/bin:/usr/bin:/bin","JAVA_HOME=/opt/java","LANG=C.UTF-8"]},
"rootfs":{"type":"layers","diff_ids":["sha256:$sum"]},"history":[{"created":"1970-01-01T00:00:00Z","created_by":"e2e/base-image.sh"}]}
JSON
printf '[{"Config":"config.json","RepoTags":["rlvr-base:latest"],"Layers":["layer.tar"]}]' >"$scratch/manifest.json"
tar --format=gnu --numeric-owner --owner=0 --group=0 --mtime=@0 -C "$scratch" -cf "$out" manifest.json config.json layer.tar
printf '%s  %s MB\n' "$out" "$(du --apparent-size -m "$out" | cut -f 1)"
