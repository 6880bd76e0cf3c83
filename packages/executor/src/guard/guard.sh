#!/bin/sh
# The watchdog that Elasticsearch runs under. The arguments are the command line of Elasticsearch; the
# directory that CONTROL names is how the executor speaks to it (each file is put in place by a rename):
#   go        start Elasticsearch
#   deadline  whole seconds of /proc/uptime at which everything here must be dead, or "never"
#   stop      SIGTERM to Elasticsearch, once
#   kill      SIGKILL to everything here
#   state     written here: waiting | running | exited CODE | killed deadline | killed order
# It goes on without the executor: a deadline that nobody extends is kept, and then acted on.
set -u
control=${CONTROL:?}
deadline=0
child=

say() {
  printf '%s\n' "$1" >"$control/state.new" && mv -f "$control/state.new" "$control/state"
}

# Without sub-second sleep (not in POSIX) once a second is still often enough for the deadline.
nap() {
  sleep 0.2 2>/dev/null || sleep 1
}

# A deadline that cannot be read leaves the last one in force; before the first one, that is "at once".
overdue() {
  read -r said 2>/dev/null <"$control/deadline" || said=
  case $said in
    never) deadline=never ;;
    '' | *[!0-9]*) ;;
    *) deadline=$said ;;
  esac
  [ "$deadline" = never ] && return 1
  read -r uptime _ </proc/uptime || return 0
  [ "${uptime%%.*}" -ge "$deadline" ]
}

# As the first process of a PID namespace everybody else there is "-1", and leaving it kills the rest.
# Elsewhere the process group is ours alone, this shell included, so the state is written before.
kill_all() {
  if [ $$ -eq 1 ]; then
    kill -KILL -1 2>/dev/null
    say "$1"
  else
    [ -n "$child" ] && kill -KILL "$child" 2>/dev/null
    say "$1"
    kill -KILL 0
  fi
  exit 137
}

check() {
  [ -e "$control/kill" ] && kill_all 'killed order'
  overdue && kill_all 'killed deadline'
  return 0
}

# Also what `docker stop` and a terminal send.
stop_child() {
  [ -n "$child" ] && kill -TERM "$child" 2>/dev/null
  return 0
}
trap stop_child TERM INT
trap '' HUP

say waiting
until [ -e "$control/go" ]; do
  check
  nap
done
check

# Elasticsearch wants 65535 open files; only a raise, and only where we may.
open_files=$(ulimit -H -n)
[ "$open_files" = unlimited ] || [ "$open_files" -ge 65536 ] || ulimit -n 65536 2>/dev/null

"$@" &
child=$!
say running

stopping=
while kill -0 "$child" 2>/dev/null; do
  check
  if [ -z "$stopping" ] && [ -e "$control/stop" ]; then
    stopping=yes
    stop_child
  fi
  nap
done
wait "$child"
code=$?
say "exited $code"
# What the child left behind goes with us: by the namespace, or here by the group.
[ $$ -eq 1 ] || kill -KILL 0
exit "$code"
