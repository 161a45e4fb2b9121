# The node's namespaces and the processes in them; sourced. A process has a file in $PROCESSES with its id and its start time, so that an id
# that was given to somebody else since is never taken for it.
# shellcheck shell=bash

start_time() { [ -r "/proc/$1/stat" ] && sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

remember() { echo "$2 $(start_time "$2")" >"$PROCESSES/$1"; }

# Prints the id of process $1 if it lives. A zombie that nobody has reaped yet does not.
id_of() {
  local id started
  [ -r "$PROCESSES/$1" ] || return 1
  read -r id started <"$PROCESSES/$1"
  [ "$(start_time "$id")" = "$started" ] && grep -qs '^State:.[^ZX]' "/proc/$id/status" && echo "$id"
}

is_up() { id_of node >/dev/null; }

# Runs a command in the node's namespaces.
inside() {
  local node
  node=$(id_of node) || fail "There is no node up: e2e/up makes one."
  nsenter --target "$node" --net --mount --pid --wd="$NODE_FOLDER" -- "$@"
}

# Starts process $1 with the command that follows in the node's namespaces. Its id is known when this returns.
start_inside() {
  local name=$1 node entered id
  shift
  # looked up here: in the background it would be a child of what enters, for a moment
  node=$(id_of node) || fail "There is no node up: e2e/up makes one."
  setsid nsenter --target "$node" --net --mount --pid --wd="$NODE_FOLDER" -- "$@" </dev/null >>"$LOGS/$name.log" 2>&1 &
  entered=$!
  # what nsenter starts is its child: only a child is in the other process namespace
  until id=$(cat "/proc/$entered/task/$entered/children" 2>/dev/null) && [ -n "$id" ]; do
    kill -0 "$entered" 2>/dev/null || fail "$name did not start:" "$(tail -n 5 "$LOGS/$name.log")"
    sleep 0.02
  done
  remember "$name" "${id%% *}"
  remember "$name.entered" "$entered"
}

# Starts process $1 on the machine itself, as the first of a process group.
start_outside() {
  local name=$1
  shift
  setsid "$@" </dev/null >>"$LOGS/$name.log" 2>&1 &
  remember "$name" $!
}

# Ends process $1 with signal $2 and waits until it is gone, at most 20 s.
end() {
  local id tries
  id=$(id_of "$1") || return 0
  kill "-$2" "$id" 2>/dev/null || true
  for tries in $(seq 200); do
    id_of "$1" >/dev/null || return 0
    sleep 0.1
  done
  fail "$1 (process $id) does not end on $2 (after $tries tries)."
}

# Waits for the command that follows, at most $1 seconds.
await() {
  local seconds=$1 deadline
  shift
  deadline=$((SECONDS + seconds))
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $deadline ] || fail "Not within $seconds s: $*" "The logs are in $LOGS."
    sleep 0.2
  done
}

# A new session of namespaces, held by their first process: processes, mounts and network of the node end with it, whatever state they are in.
make_namespaces() {
  local unshared id
  mkdir -p "$NODE_FOLDER"/{lib/volumes,log,cni}
  setsid unshare --net --mount --pid --fork --mount-proc --propagation private \
    sh -c "mount --make-rshared / && ip link set lo up && exec '$NODE_FOLDER/images/pause/pause'" </dev/null >>"$LOGS/node.log" 2>&1 &
  unshared=$!
  await 10 grep -q '[0-9]' "/proc/$unshared/task/$unshared/children"
  id=$(cat "/proc/$unshared/task/$unshared/children")
  id=${id%% *}
  await 10 grep -qx pause "/proc/$id/comm"
  remember node "$id"
  remember node.entered "$unshared"
  # its own /run, /var/lib and /var/log: what the runtime, the kubelet and the network plug-ins write stays off the machine
  inside sh -euc "
    mount -t tmpfs tmpfs /run
    mount --bind '$NODE_FOLDER/lib' /var/lib
    mount --bind '$NODE_FOLDER/log' /var/log
    ip link add node0 type bridge
    ip address add $NODE_ADDRESS/24 dev node0
    ip link set node0 up
    # leads nowhere, but the components take the address of the default route for the node's
    ip route add default via ${NODE_ADDRESS%.*}.254 dev node0
    echo 1 >/proc/sys/net/ipv4/ip_forward"
}
