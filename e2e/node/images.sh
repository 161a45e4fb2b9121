#!/usr/bin/env bash
# Makes, without a registry, the two images that the node itself needs: localhost/pause, which holds a pod's namespaces, and localhost/shell
# (busybox), with which folders of volumes are made and removed. They go to folder $1 as archives of the form that `docker save` writes.
set -euo pipefail
. "$(dirname "$0")/settings.sh"
folder=${1:?folder}

# Packs the root file system $1 as image $2 with the configuration $3.
pack() {
  local root=$1 name=$2 configuration=$3 work digest
  work=$(mktemp -d "$folder/pack.XXXXXX")
  tar --numeric-owner --owner=0 --group=0 --sort=name --mtime=@0 -C "$root" -cf "$work/layer.tar" .
  digest=$(sha256sum "$work/layer.tar" | cut -d ' ' -f 1)
  jq -n --arg digest "sha256:$digest" --argjson config "$configuration" --arg architecture "$(dpkg --print-architecture)" \
    '{architecture: $architecture, os: "linux", config: $config, rootfs: {type: "layers", diff_ids: [$digest]}}' >"$work/config.json"
  jq -n --arg name "localhost/$name:1" '[{Config: "config.json", RepoTags: [$name], Layers: ["layer.tar"]}]' >"$work/manifest.json"
  tar -C "$work" -cf "$folder/$name.tar" manifest.json config.json layer.tar
  rm -rf "$work"
}

mkdir -p "$folder"/{pause,shell/bin,shell/tmp}
gcc -Os -static -s -o "$folder/pause/pause" "$NODE_SCRIPTS/pause.c"
pack "$folder/pause" pause '{"Entrypoint": ["/pause"]}'

cp "$(command -v busybox)" "$folder/shell/bin/busybox"
for applet in $(busybox --list); do
  [ "$applet" = busybox ] || ln -sf busybox "$folder/shell/bin/$applet"
done
pack "$folder/shell" shell '{"Cmd": ["/bin/sh"], "Env": ["PATH=/bin"]}'
